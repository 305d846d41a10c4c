"""Stack files that Docker Compose was asked about, grouped by what they are about.

`record.py` runs a real Compose over them and writes its answers to `data/`; `test_config.py` compares ours with those.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

# Each is put under `services: {a: {image: i, …}}` with the environment HOME=/root, SET=val, EMPTY=, NUM=3.
SERVICE = (
    # environment and labels
    "environment: {D: 2024-01-01}",
    "environment: {1: a}",
    "environment: [A, 'B=x=y']",
    "environment: [SET, EMPTY, UNSET]",
    "environment: {A: [1]}",
    "environment: {A: 08, B: 1e21, C: .5, D: 1e-7, E: 100000000000000000000, F: -0, G: .inf, H: .nan}",
    "environment: {I: 0b11, J: -0x1F}",
    "environment: {A: +5, B: 1_0.5, C: 1234567.5, D: 123456.5, E: 1e6, F: 999999.0, G: 1.5e-5, H: 0.0001, I: -1e6}",
    "environment: {A: 18446744073709551615, B: 18446744073709551616, C: -9223372036854775809, D: 123456789.0}",
    "environment: {YES: yes, ON: on, N: no, T: TRUE, F: False, X: tRue, V: NULL, W: ~}",
    "environment: {NULL: x}",
    "environment: {true: x}",
    "environment: {A: 22:22, B: 190:20:30, C: 0777, D: 0o777, E: 1_000, F: 0x1F, G: 12e03, H: 1.10, I: 09}",
    "environment: {J: 0_7, K: 00}",
    "environment: {A: 1_, B: 0x_1, C: +0x1F, D: 0b, E: 0o8, F: -.5, G: +.5, H: 1., I: 1e, J: .e3, K: 0.1e-3, L: .1_0}",
    "environment: {A: -07, B: 0O17, C: 0X1f, D: -0o17, E: +.inf, F: nan, G: +, H: nUll, I: =}",
    "environment: {A: !!str 5, B: !!float 1, C: !!int '5', D: !!str}",
    "environment: {A: !!bool yes}",
    "environment: {A: !!null x}",
    "environment: {A: 1.0, B: true, C: ''}",
    "environment: [A=1, A=2]",
    "environment:",
    "environment: []",
    "environment: ''",
    "environment: {A: {b: c}}",
    "labels: {a: [1]}",
    "labels: [a=1, a=2, c]",
    "labels: {a: 1.0, b: , c: '$$x'}",
    # text forms of YAML
    "environment:\n  A:\tb\n  B: a\tb\n  C: b\t# c\n  D: x#y\n  E: #x",
    "environment:\n  A: a\n    b\n\n    c",
    "environment:\n  A: a\n    --- b",
    "environment:\n  A: a\n\tb",
    "environment:\n\tA: b",
    "environment:\n-\tA=1",
    "environment:\n  ? A\n  : b",
    "environment: {A: \"\\x41\\u00e9\\U0001F600\\e\\N\\_\"}",
    "environment: {A: \"\\ud800\"}",
    "environment: {A: \"\\/\"}",
    "environment: {A: \"\\UFFFFFFFF\"}",
    "environment: {A: |+\n  x}",
    "environment:\n  A: |+\n    x\n\n  B: |-\n    y\n  C: >\n    a\n    b\n  D: ''''",
    "environment: {A: @x}",
    "environment: {A: `x`}",
    "environment: {A: b?c}",
    "environment: {A: x:y}",
    "environment:\n  A: b: c",
    "environment: {A: *x}",
    "environment: [",
    "environment: {A: 1",
    # command
    "command: ''",
    "command:",
    "command: [1, 2]",
    "command: [a, null]",
    "command: []",
    "command: \"a 'b c' \\\"d e\\\" f\\\\ g # h\"",
    "command: \"a 'b\"",
    "command: a | b",
    "command: \"a \\n b\"",
    "command: a `b c` d",
    "command: a $$(b c) d",
    "command: a (b)",
    "command: a )b",
    "command: \"a '' b\"",
    "command: \"a\\\"b c\\\"d ';'\"",
    "command: {a: b}",
    "command: 5",
    "command: \"'a\\\\nb' c\"",
    "entrypoint: sh -c 'x y'",
    "entrypoint: ''",
    # ports
    "ports: ['80']",
    "ports: [80, 81:81]",
    "ports: [80.5]",
    "ports: ['80-82']",
    "ports: ['1:2-4']",
    "ports: ['1-2:3-5']",
    "ports: ['8000-8002:80']",
    "ports: ['9090-9091:8080-8081']",
    "ports: ['0:80']",
    "ports: ['70000:80']",
    "ports: ['80/sctp', '81:81/UDP']",
    "ports: ['80/foo']",
    "ports: ['a:80']",
    "ports: [':80']",
    "ports: ['1.2.3:1:80']",
    "ports: ['::1:1:80']",
    "ports: ['127.0.0.1:80']",
    "ports: ['127.0.0.1::80-81']",
    "ports: ['127.0.0.1:8001:8001/udp', '[::1]:6001:6001']",
    "ports: [8080:80, '8080:80']",
    "ports: ['8080:80/tcp', '8080:80/udp']",
    "ports: [{target: 80, published: 8080}]",
    "ports: [{target: 90, published: '100', mode: host, name: foo, app_protocol: http}, {target: 91}]",
    "ports: [{target: '80', published: '8080-8090'}]",
    "ports: [{published: 8080}]",
    "ports: [{target: 80, mode: foo}]",
    "ports: [{target: 80, host_ip: foo}]",
    "ports: [{target: 70000}]",
    "ports: [{target: 80, foo: 1}]",
    "ports: '80:80'",
    "ports: [null]",
    "ports: []",
    "ports: ['[::]:1:80', '0.0.0.0:1:80']",
    "ports: ['${P:-8080}:80']",
    "ports: ['8080 : 80']",
    # volumes and tmpfs
    "volumes: [{type: bind, source: ./x, target: /x}]",
    "volumes: [{type: bind, source: ./x, target: /x, bind: {create_host_path: false}}]",
    "volumes: [{type: bind, source: x, target: /x, read_only: false, bind: {propagation: rslave}}]",
    "volumes: [{type: volume, target: /x}]",
    "volumes: [{type: volume, target: /x, volume: {nocopy: false}}]",
    "volumes: [{type: tmpfs, target: /t, tmpfs: {size: 64m, mode: 0o1777}}]",
    "volumes: [{type: tmpfs, target: /t, tmpfs: {mode: '1777'}}]",
    "volumes: [{type: bind, target: /x}]",
    "volumes: [{source: x, target: /x}]",
    "volumes: [{type: foo, target: /x}]",
    "volumes: ['/anon', './rel:/rel:rw', '~/foo:/foo:ro', '.:/dot', '/a/../b/:/c/']",
    "volumes: ['./x:/x:ro,foo']",
    "volumes: ['./x:x']",
    "volumes: ['/x:/x:rw,rshared']",
    "volumes: ['./x:/x:cached']",
    "volumes: [nope]",
    "volumes: ['a:b:c:d']",
    "volumes: ['']",
    "volumes: ['./a:/x', './b:/x']",
    "volumes: ['~:/x', '$HOME/y:/y']",
    "volumes: ['undefined:/x']",
    "tmpfs: [/run, '/x:size=64m,mode=1770']",
    "tmpfs: /run",
    # networks
    "networks: [nope]",
    "networks: {default: {aliases: [x, y]}}",
    "networks: {default: {aliases: []}}",
    "networks: {default: {}}",
    "networks: {default: {foo: 1}}",
    "networks: {default: }",
    "networks: [default]",
    "networks:",
    "networks: []",
    "networks: {default: {ipv4_address: 172.20.1.2, ipv6_address: '2001:db8::1'}}",
    # depends_on
    "depends_on: [nope]",
    "depends_on: {nope: {condition: service_started, required: false}}",
    "depends_on: {a: {condition: service_started}}",
    "depends_on: {a: }",
    "depends_on: {a: {condition: foo}}",
    "depends_on: {a: {required: true}}",
    "depends_on: []",
    # healthcheck
    "healthcheck: {test: []}",
    "healthcheck: {test: ''}",
    "healthcheck: {test: [foo]}",
    "healthcheck: {test: [NONE]}",
    "healthcheck: {test: NONE}",
    "healthcheck: {test: wget -q x, interval: 90s, timeout: 1m30s500ms, retries: 3, start_period: 2h}",
    "healthcheck: {test: [CMD, 'true'], start_interval: 0.5s, retries: '3'}",
    "healthcheck: {interval: 5}",
    "healthcheck: {interval: 1w2d, timeout: 1d}",
    "healthcheck: {interval: 0s, timeout: 0s, retries: 0}",
    "healthcheck: {}",
    "healthcheck: {disable: false, test: x}",
    "healthcheck: {disable: 'yes', test: x}",
    "healthcheck: {disable: true}",
    "healthcheck: {timeout: 1500000ns, start_period: 1h0.001s, start_interval: 1.5m}",
    "healthcheck: {interval: .5s, timeout: 1s1ms, start_period: 36h}",
    "healthcheck: {interval: ''}",
    "healthcheck: {interval: 5x}",
    # restart, init and other small ones
    "restart: no",
    "restart: 'no'",
    "restart: on-failure:3",
    "restart: unless-stopped",
    "restart:",
    "init: yes",
    "init: 1",
    "init: maybe",
    "init:",
    "init: false",
    "tty: false",
    "tty: true\nstdin_open: true\nread_only: true",
    "read_only: false\nstdin_open: no",
    "stop_grace_period: 10",
    "stop_grace_period: 1m\nstop_signal: SIGINT",
    "stop_grace_period: 0s\nstop_signal: ''",
    "stop_signal: 9",
    "hostname: h\nuser: '1000'\nworking_dir: /w",
    "hostname: ''\nuser: ''",
    "user: 1000",
    # resources
    "mem_limit: 64",
    "mem_limit: 64.5k",
    "mem_limit: 1x",
    "mem_limit: 1 gb",
    "mem_limit: 1KiB",
    "mem_limit: ''",
    "mem_limit: 0",
    "mem_limit: 64m\nmem_reservation: 5m\npids_limit: 5",
    "cpus: 0",
    "cpus: x",
    "cpus: '1.50'",
    "cpus: 1.0",
    "mem_limit: 1g\ndeploy: {resources: {limits: {memory: 2g}}}",
    "mem_limit: 1g\ndeploy: {resources: {limits: {memory: 1024m}}}",
    "cpus: 1\ndeploy: {resources: {limits: {cpus: 2}}}",
    "pids_limit: 5\ndeploy: {resources: {limits: {pids: 6}}}",
    "deploy: {resources: {limits: {cpus: '0.5', memory: 1.5g, pids: 100}, reservations: {cpus: 0.25, memory: 20M}}}",
    "deploy: {resources: {limits: {}, reservations: {}}}",
    "deploy: {resources: {limits: {memory: 5}}}",
    # deploy
    "deploy: {replicas: 2}",
    "deploy: {replicas: '2', mode: replicated}",
    "deploy: {replicas: two}",
    "deploy: {replicas: -1}",
    "deploy: {replicas: 2.0}",
    "deploy: {replicas: 0}",
    "deploy: {}",
    "deploy:",
    "scale: 2\ndeploy: {replicas: 3}",
    "scale: 2\ndeploy: {replicas: 2}",
    "scale: 0",
    "deploy: {update_config: {}}",
    "deploy: {update_config: {parallelism: 0, delay: 1.5s, order: start-first}}",
    "deploy: {update_config: {delay: 0s}}",
    "deploy: {update_config: {order: foo}}",
    "deploy: {update_config: {delay: '10'}}",
    "deploy: {update_config: {delay: 10}}",
    "deploy: {replcas: 3}",
    "foo: 1",
    "profiles: [x]",
    # interpolation
    *(
        f"environment: {{X: '{text}'}}"
        for text in (
            "$SET", "${SET}", "$SETx", "${SET}x", "${UNSET-d}", "${UNSET:-d}", "${EMPTY-d}", "${EMPTY:-d}", "${SET-d}",
            "${UNSET?e}", "${UNSET:?e f}", "${EMPTY?e}", "${EMPTY:?e}", "${EMPTY:?}", "${SET+r}", "${SET:+r}",
            "${EMPTY+r}", "${EMPTY:+r}", "${UNSET+r}", "${UNSET:+r}", "$$", "$$SET", "$$$SET", "$$$$", "$", "a$", "$ a",
            "$1", "${1}", "${", "${}", "${SET", "${SET-}", "${SET:-}", "${UNSET:-${SET}}",
            "${UNSET:-${UNSET2:-deep}}", "${UNSET:-$SET}", "${UNSET:-a}b}", "${UNSET:-{}}", "${SET:+a${NUM}b}",
            "${UNSET:-$$x}", "${SET!}", "${SET:}", "${SET/a/b}", "${ SET }", "$SET-x", "$SET$NUM", "${UNSET-a-b}",
            "${UNSET:-a:-b}", "${UNSET:-a?b}", "${UNSET-a:b}", "${SET:?a${", "{$SET}", "$_x", "${a.b}",
            "${SET:-${UNSET?nope}}", "${UNSET:-a$}", "$é", "${UNSET:-é}", "${set}", "$COMPOSE_PROJECT_NAME",
        )
    ),
    "command: ['${UNSET}', $$X]\ndeploy: {replicas: '${NUM}'}\ninit: ${B:-true}",
)  # fmt: skip

# Whole files.
STACK = (
    "services: {a: {image: i, networks: [n]}}\nnetworks: {n: {driver: bridge, driver_opts: {a: 1}, labels: [x=y]}}\n",
    "services: {a: {image: i, networks: [n]}}\nnetworks: {n: {external: true}}\n",
    "services: {a: {image: i, networks: [n]}}\nnetworks: {n: {external: {name: foo}}}\n",
    "services: {a: {image: i, networks: [n]}}\nnetworks: {n: {external: true, name: foo}}\n",
    "services: {a: {image: i, networks: [n]}}\nnetworks: {n: , unused: {driver: x}}\n",
    "services: {a: {image: i, networks: [n]}}\nnetworks: {n: {foo: 1}}\n",
    "services: {a: {image: i, networks: [n]}}\nnetworks: {n: {internal: 'yes', attachable: false, external: false}}\n",
    "services: {a: {image: i, networks: [n]}}\nnetworks: {n: {internal: true, attachable: true, ipam: {}}}\n",
    "services: {a: {image: i, networks: [n]}}\nnetworks: {n: {driver_opts: {b: null}}}\n",
    "services: {a: {image: i, networks: [n]}}\nnetworks: {'n x': {}}\n",
    "services: {a: {image: i}}\nnetworks: {default: {name: foo, driver: x}}\n",
    "services: {a: {image: i, networks: {n: {aliases: [w]}, default: }}}\nnetworks: {n: {}}\n",
    "services: {a: {image: i, volumes: ['vv:/x']}}\nvolumes: {vv: }\n",
    "services: {a: {image: i, volumes: ['vv:/x:ro,nocopy']}}\nvolumes: {vv: {external: true}, unused: }\n",
    "services: {a: {image: i, volumes: ['vv:/x']}}\nvolumes: {vv: {name: foo, labels: [a=b], driver_opts: {o: 1}}}\n",
    "services: {a: {image: i, volumes: ['vv:/x']}}\nvolumes: {vv: {external: true, driver: x}}\n",
    "",
    "# nothing\n",
    "services:\n",
    "services: {}\n",
    "services: []\n",
    "- a\n",
    "a\n",
    "version: '3'\nservices: {a: {image: i}}\n",
    "version: 3\nservices: {a: {image: i}}\n",
    "services: {a: {image: i}}\nfoo: 1\n",
    "services: {a: }\n",
    "services: {a: {}}\n",
    "services: {'a b': {image: i}}\n",
    "services: {A_b.c-d: {image: i}}\n",
    "services: {1: {image: i}}\n",
    "name: 1\nservices: {a: {image: i}}\n",
    "services: {a: {image: i, image: j}}\n",
    "services: {a: {image: i}, a: {image: j}}\n",
    "services: {a: {image: !!str 5}}\n",
    "services: {a: {image: 5}}\n",
    "services: {a: {image: ''}}\n",
    "x-a: &a {image: i}\nservices: {a: *a, b: {<<: *a, command: x}}\n",
    "x-a: &a {image: i}\nx-b: &b {image: j, tty: true}\nservices: {b: {<<: [*a, *b], command: x}}\n",
    "x-a: &a {image: i}\nservices: {b: {<<: *a, <<: *a}}\n",
    "services: {b: {<<: x, image: i}}\n",
    "services: {a: {image: i}}\n---\nservices: {b: {image: i}}\n",
    "services: {a: {image: i}}\n---\nservices: {a: {image: j, command: x}}\n",
    "services: {a: {image: i}}\n---\n",
    "services:\n  a:\n    image:\ti\t# x\n",
    "%YAML 1.2\n---\nservices: {a: {image: i}}\n",
    "%YAML 1.1\n---\nservices: {a: {image: i}}\n",
    "x-e: 2.0\nx-f: 0x10\nx-g: {a: yes, b: ~, c: 1e400, d: [1, 1.5]}\nservices: {a: {image: i}}\n",
    "x-g: {1: a}\nservices: {a: {image: i}}\n",
    "services: {a: {image: i, depends_on: [b]}, b: {image: i, depends_on: [a]}}\n",
    "services: {a: {image: i, depends_on: {b: {condition: service_healthy, restart: true}}}, b: {image: i}}\n",
    "services: {a: {image: i, depends_on: [b, c]}, b: {image: i}, c: {image: i}}\n",
    "services: {a: {image: i, profiles: [x]}, b: {image: i}}\n",
    "services: {a: {image: i, depends_on: [b]}, b: {image: i, profiles: [x]}}\n",
    "name: T_Bad\nservices: {a: {image: i}}\n",
    "\ufeffservices: {a: {image: i}}\n",
    "services: {a: {image: i}}\r\nx-a: b\r\n",
    'services: {a: {image: "i\0"}}\n',
)

# Bodies of one service in several files.
MERGE = (
    ("command: [a]", "command:"),
    ("command: [a]", "command: []"),
    ("command: [a, b]", "command: c"),
    ("entrypoint: [a, b]", "entrypoint: !reset null"),
    ("command: [a]", "command: !reset []"),
    ("environment: {A: 1, B: 2}", "environment: [B=3, SET, C]"),
    ("environment: {A: 1, B: 2}", "environment: {A: !reset null}"),
    ("environment: {A: 1}", "environment: {A: }"),
    ("environment: {A: 1}", "environment: !override {B: 2}"),
    ("ports: ['80:80', '81:81']", "ports: ['80:80', '82:82']"),
    ("ports: ['80:80', '81:81']", "ports: ['0.0.0.0:80:80', '127.0.0.1:81:81']"),
    ("ports: ['80:80', '81:81']", "ports: !override ['82:82']"),
    ("ports: ['80:80', '81:81']", "ports: !reset ['82:82']"),
    ("volumes: ['/a:/x', '/b:/y']", "volumes: ['/c:/x:ro', '/d:/z']"),
    ("healthcheck: {test: [CMD, a], interval: 5s}", "healthcheck: {test: b, retries: 2}"),
    ("healthcheck: {test: [CMD, a], interval: 5s}", "healthcheck: {disable: true}"),
    ("healthcheck: {test: [CMD, a]}", "healthcheck: [a]"),
    ("labels: {a: 1}", "labels: [b=2]"),
    ("tmpfs: /a", "tmpfs: [/b, /a]"),
    ("networks: [default]", "networks: {default: {aliases: [x]}}"),
    ("networks: {default: {aliases: [x]}}", "networks: {default: {aliases: [y, x]}}"),
    ("networks: {default: {aliases: [x]}}", "networks: {default: }"),
    (
        "deploy: {replicas: 2, resources: {limits: {cpus: 1}}}",
        "deploy: {replicas: 3, resources: {limits: {memory: 1g}}}",
    ),
    ("deploy: {replicas: 2}", "deploy:"),
    ("tty: true", "tty: false"),
    ("init: true", "init: false"),
    ("tty: true", "working_dir: /x", "tty: false\nstop_signal: SIGINT"),
    ("mem_limit: 1g", "deploy: {resources: {limits: {memory: 2g}}}"),
)

ENV_FILE = {
    "quotes": (
        "# comment\nA=1\nB = spaced\nC=\"double $A ${A}x \\n y\"\nD='single $A'\nE=plain # comment\nF=pl#ain\n"
        'G="q" # c\n'
        'export H=exp\nI=\nK: yaml\nL="multi\nline"\nM=$A-${UNSET:-d}\nO=a b  c   \nP="a\\"b"\nQ=\'a\\\'b\'\nR=\\$A\n'
        'S="\\$A"\nT="a\\tb\\\\c"\nU=`x`\nV=${A:+yes}\nW="$$A"\nX.Y=1\nZ-A=2\na="x\n  y" # z\nb=\'p\nq\'\n'
    ),
    "inherited": "A=1\nSET\nUNSET\nB=2\n",
    "again": "A=1\nA=2\nB=$A\nSET=file\nC=$SET\n",
    "home": "A=$HOME\nB=$UNSET\n",
    "escapes": 'A="a\\$b"\nB=a\\nb\nC=\'a\\nb\'\nD="\\r\\a\\f\\v\\x41\\u00e9"\n',
    "inner quotes": 'A=a\\ b\nB=a"b"c\nC=a\'b\n',
    "comments": "A= # x\nB=a # b # c\nC=a #b\n#\n  # x\n\nD=1#2\n",
    "export": "export\tA=1\nexportB=1\n",
    "blanks": "A =1\nB= 2\nC : 3\n   D=2\nE=\t1\t\n",
    "comment after a bare name": "J # c\nK=1\n",
    "doubled dollar": "A=\"$$X $Y\"\nB=$$X\nC='$$X'\n",
    "blank in the name": "A B=1\n",
    "open single quote": "A='x\n",
    "open double quote": 'A="x\n',
    "bad name": "A=1\n\n\nB!=2\n",
    "quoted name": '"A"=1\n',
    "required": "A=${UNSET?err}\n",
    "bad template": "A=${\n",
    "mark": "\ufeffA=1\n",
    "windows": 'A=1\r\nB="x"\r\n',
    "digits": "1A=2\né=1\nA[0]=1\n",
    "after the quote": "A='x'#y\nB=\"x\"   C=2\n",
    "empty": "A=''\nB=\"\"\nC:\nD: b: c\n",
}


@dataclass(frozen=True)
class Case:
    name: str
    documents: tuple[str, ...]
    files: Mapping[str, str] = field(default_factory=dict)


def cases() -> Iterator[Case]:
    """All of them, with names that are stable from one recording to the next."""
    for body in SERVICE:
        yield Case(f"service | {body}", (_service(body),))
    for text in STACK:
        yield Case(f"stack | {text}", (text,))
    yield Case("stack | large", (LARGE,))
    for bodies in MERGE:
        yield Case(f"merge | {' + '.join(bodies)}", tuple(_service(body) for body in bodies))
    for name, text in ENV_FILE.items():
        yield Case(f"env_file | {name}", (_service("env_file: [e.env]"),), {"e.env": text})
    both = {"e.env": "A=1\nB=$A\nC=x\n", "f.env": "A=2\nD=$C\n"}
    for body in (
        "env_file: [e.env, f.env]\nenvironment:\n  A:\n  Z:",
        "env_file: e.env\nenvironment:\n  B: 3\n  E: $C",
        "env_file: {path: e.env}",
        "env_file: nope.env",
        "env_file: [{path: nope.env, required: false}, {path: ./e.env}]",
        "env_file: [{path: e.env, format: raw}]",
        "env_file: []",
        "env_file: ''",
        "env_file: .",
    ):
        yield Case(f"env_file | {body}", (_service(body),), both)
    dotenv = {".env": "SET=file\nFILE=1\n"}
    yield Case("dotenv", (_service("environment: [SET, FILE, 'X=$FILE$SET']"),), dotenv)


# Every supported key at once.
LARGE = """\
name: demo
x-top: {a: [1, 2.50, 0x10]}
services:
  web:
    image: busybox:1.36
    command: httpd -f -p 8080 "a b"
    entrypoint: ["/bin/sh", "-c"]
    environment:
      A: 1
      B: 1.10
      C: yes
      D: 0777
      E:
      F: true
      G: ""
      H: 12e03
      HOME:
    env_file:
      - path: ./a.env
        required: false
    ports:
      - 8080
      - 22:22
      - "8000-8002:80"
      - "9090-9091:8080-8081"
      - "127.0.0.1:8001:8001/udp"
      - "127.0.0.1::5000"
      - "[::1]:6001:6001"
      - target: 90
        published: "100"
        mode: host
        name: foo
        app_protocol: http
        x-foo: 1
      - target: 91
    volumes:
      - /anon
      - data:/data:ro
      - ./rel:/rel
      - ~/foo:/foo:ro
      - type: tmpfs
        target: /t
        tmpfs: {size: 64m, mode: 0o1777}
      - type: volume
        source: data
        target: /d2
        volume: {nocopy: true}
      - type: bind
        source: ./b
        target: /b
        bind: {propagation: rslave, create_host_path: false}
    tmpfs: /run
    networks:
      front:
        aliases: [w]
        ipv4_address: 172.20.1.2
      default:
    healthcheck:
      test: wget -q localhost
      interval: 90s
      timeout: 1m30s500ms
      retries: 3
      start_period: 2h
      start_interval: 0.5s
    depends_on: [db]
    init: true
    stop_signal: SIGINT
    stop_grace_period: 120s
    restart: on-failure:3
    labels: {a: 1, b: "$$x", c: , d: true}
    mem_limit: 64m
    cpus: "0.5"
    deploy:
      replicas: 1
      resources:
        limits: {cpus: 0.5, memory: 64M, pids: 100}
        reservations: {cpus: "0.25", memory: 20M}
      update_config: {order: start-first, parallelism: 2, delay: 10s}
      x-d: 1
    hostname: h
    user: "1000"
    working_dir: /w
    tty: true
    stdin_open: true
    read_only: true
    x-orchtui: {ready_after: 3s}
  db:
    image: busybox
    labels: ["a=b", "c"]
    environment: ["A=1", "B", "HOME", "C="]
    scale: 3
    depends_on:
      c: {condition: service_healthy, restart: true, required: false}
    healthcheck: {disable: true}
    networks: [front]
  c:
    image: busybox
    command: []
    entrypoint: ""
    healthcheck: {test: ["CMD", "true"]}
    networks: {}
networks:
  front:
    driver: bridge
    driver_opts: {a: 1}
    internal: true
    attachable: true
    labels: [x=y]
  ext: {external: true}
  unused:
volumes:
  data:
    driver: local
    driver_opts: {o: bind}
    labels: {q: 1}
  ex: {external: true, name: foo}
"""

ENVIRON = {"HOME": "/root", "SET": "val", "EMPTY": "", "NUM": "3"}


def _service(body: str) -> str:
    return "services:\n  a:\n    image: i\n" + "".join(f"    {line}\n" for line in body.split("\n"))
