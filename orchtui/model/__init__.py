"""Every value that crosses a seam: frozen dataclasses of the standard library, no behaviour beyond derivation.

`spec` is what a person wishes, `observed` what Docker says, `snapshot` both as one picture, `plan` what would be done.
Times are seconds since the epoch (UTC, float), durations seconds (float), sizes bytes (int), CPU is in cores (float).
Mappings are never changed after construction.
"""
