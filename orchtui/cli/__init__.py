"""The command line and the composition root. Heavy imports happen in the subcommand that needs them."""
