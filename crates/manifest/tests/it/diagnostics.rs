use manifest::Style;

use crate::scene::{Scene, bottle_problems};

#[test]
fn a_user_and_basic_belong_together() {
    insta::assert_snapshot!(
        bottle_problems(
            "egress:
  routes:
    - {host: a.example, auth: {scheme: Basic, token_ref: T}}
    - {host: b.example, auth: {scheme: Bearer, user: me, token_ref: T}}
    - {host: c.example, auth: {header: x-key, user: me, token_ref: T}}
    - {host: d.example, auth: {scheme: Basic, user: 'a:b', token_ref: T}}
    - {host: e.example, auth: {scheme: Digest, token_ref: T}}"
        ),
        @r"
    error: `auth` needs `user`
     --> /home/bottles/b.md:4:32
      |
    4 |     - {host: a.example, auth: {scheme: Basic, token_ref: T}}
      |                                ^^^^^^
      |
      = help: add `user: x-access-token`

    error: `user` belongs to `scheme: Basic`
     --> /home/bottles/b.md:5:54
      |
    5 |     - {host: b.example, auth: {scheme: Bearer, user: me, token_ref: T}}
      |                                                      ^^
      |
      = help: write `scheme: Basic`, or remove `user`

    error: `user` belongs to `scheme: Basic`
     --> /home/bottles/b.md:6:53
      |
    6 |     - {host: c.example, auth: {header: x-key, user: me, token_ref: T}}
      |                                                     ^^
      |
      = help: write `scheme: Basic`, or remove `user`

    error: bad `user`: a user's name has 1 to 255 visible characters of ASCII and no colon
     --> /home/bottles/b.md:7:53
      |
    7 |     - {host: d.example, auth: {scheme: Basic, user: 'a:b', token_ref: T}}
      |                                                     ^^^^^

    error: bad `scheme`: `Digest` is not a known scheme: write `Bearer`, `token` or `Basic`, or use `header` for an API with a header of its own
     --> /home/bottles/b.md:8:40
      |
    8 |     - {host: e.example, auth: {scheme: Digest, token_ref: T}}
      |                                        ^^^^^^
    "
    );
}

#[test]
fn an_unknown_key_and_a_wrong_type() {
    insta::assert_snapshot!(bottle_problems("extend: base\nsupervise: yes\nenv: [A, B]"), @r"
    error: unknown key `extend` in a bottle
     --> /home/bottles/b.md:2:1
      |
    2 | extend: base
      | ^^^^^^ unknown key
      |
      = help: did you mean `extends`?

    error: `supervise` must be true or false, not text
     --> /home/bottles/b.md:3:12
      |
    3 | supervise: yes
      |            ^^^ text here
      |
      = help: write `true`, without quotes

    error: `env` must be a map, not a list
     --> /home/bottles/b.md:4:6
      |
    4 | env: [A, B]
      |      ^^^^^^ a list here
      |
      = help: write keys and values, such as `LANG: C.UTF-8`
    ");
}

#[test]
fn duplicate_keys() {
    insta::assert_snapshot!(bottle_problems("env: {A: 1, B: 2, A: 3}\nenv: {}"), @r"
    error: the key `A` is written twice
     --> /home/bottles/b.md:2:19
      |
    2 | env: {A: 1, B: 2, A: 3}
      |                   ^ second time
      |
      = help: it was first written in line 2; keep one

    error: the key `env` is written twice
     --> /home/bottles/b.md:3:1
      |
    3 | env: {}
      | ^^^ second time
      |
      = help: it was first written in line 2; keep one
    ");
}

#[test]
fn old_keys_name_their_replacement() {
    insta::assert_snapshot!(
        bottle_problems("git: {}\nruntime: runsc\ncred_proxy: {}\negress_proxy: {}\nssh: []\npipelock: {}\ngit_user: {}"),
        @r"
    error: the key `git` was replaced by `git-gate`
     --> /home/bottles/b.md:2:1
      |
    2 | git: {}
      | ^^^
      |
      = help: write `git-gate:` with `user: {name, email}` and `repos: {NAME: {url, key, host_key}}`

    error: the key `runtime` does not exist any more
     --> /home/bottles/b.md:3:1
      |
    3 | runtime: runsc
      | ^^^^^^^
      |
      = help: remove it; how strongly a bottle is isolated is chosen at launch with `--backend`

    error: the key `cred_proxy` was replaced by `egress.routes`
     --> /home/bottles/b.md:4:1
      |
    4 | cred_proxy: {}
      | ^^^^^^^^^^
      |
      = help: write `egress: {routes: [{host: …, auth: {scheme: Bearer, token_ref: VARIABLE}}]}`

    error: the key `egress_proxy` was replaced by `egress`
     --> /home/bottles/b.md:5:1
      |
    5 | egress_proxy: {}
      | ^^^^^^^^^^^^
      |
      = help: write `egress: {routes: [{host: …}]}`

    error: the key `ssh` was replaced by `git-gate.repos`
     --> /home/bottles/b.md:6:1
      |
    6 | ssh: []
      | ^^^
      |
      = help: write `git-gate: {repos: {NAME: {url: ssh://…, key: …}}}`; no other use of SSH exists

    error: the key `pipelock` was replaced by `egress.routes`
     --> /home/bottles/b.md:7:1
      |
    7 | pipelock: {}
      | ^^^^^^^^
      |
      = help: write `tls: passthrough` and `addresses: […]` in the routes that need it

    error: the key `git_user` was replaced by `git-gate.user`
     --> /home/bottles/b.md:8:1
      |
    8 | git_user: {}
      | ^^^^^^^^
      |
      = help: write `git-gate: {user: {name: …, email: …}}`
    "
    );
}

#[test]
fn old_keys_further_down() {
    insta::assert_snapshot!(
        bottle_problems("egress:\n  routes:\n    - host: a.example\n      path_allowlist: [/]\n      role: x\n      pipelock: {tls_passthrough: true}\ngit-gate:\n  repos:\n    r: {url: ssh://git@h.example/r, identity: ~/.ssh/k}\n    s: {url: ssh://git@h.example/s, provisioned_key: {}}"),
        @r"
    error: the key `path_allowlist` was replaced by `matches`
     --> /home/bottles/b.md:5:7
      |
    5 |       path_allowlist: [/]
      |       ^^^^^^^^^^^^^^
      |
      = help: write `matches: [{paths: [{type: prefix, value: /api}]}]`

    error: the key `role` does not exist any more
     --> /home/bottles/b.md:6:7
      |
    6 |       role: x
      |       ^^^^
      |
      = help: remove it; what a provider needs is part of its template

    error: the key `pipelock` was replaced by `tls` and `addresses`
     --> /home/bottles/b.md:7:7
      |
    7 |       pipelock: {tls_passthrough: true}
      |       ^^^^^^^^
      |
      = help: write `tls: passthrough` for `tls_passthrough`, `addresses: […]` for `ssrf_ip_allowlist`

    error: the key `identity` was replaced by `key`
      --> /home/bottles/b.md:10:37
       |
    10 |     r: {url: ssh://git@h.example/r, identity: ~/.ssh/k}
       |                                     ^^^^^^^^
       |
       = help: write `key: {provider: static, path: …}`

    error: the key `provisioned_key` was replaced by `key`
      --> /home/bottles/b.md:11:37
       |
    11 |     s: {url: ssh://git@h.example/s, provisioned_key: {}}
       |                                     ^^^^^^^^^^^^^^^
       |
       = help: write `key: {provider: gitea, token_env: …}`
    "
    );
}

#[test]
fn bad_values() {
    insta::assert_snapshot!(
        bottle_problems("env:\n  1A: x\n  B: a${C}\n  D:\n  E: [1]\nlimits: {memory: 2GB, cpus: many, pids: 1.5, time: 90}\ntools: [relative, ~/../x]\nworkspace: {path: here, exclude: [../x]}"),
        @r#"
    error: `1A` cannot be the name of an environment variable: use 1 to 128 letters, digits and `_`, and do not begin with a digit
     --> /home/bottles/b.md:3:3
      |
    3 |   1A: x
      |   ^^

    error: host variables cannot be put into a longer text
     --> /home/bottles/b.md:4:6
      |
    4 |   B: a${C}
      |      ^^^^^
      |
      = help: a value is either wholly `${NAME}` or wholly text; write `$${` for a literal `${`

    error: the variable `D` has no value
     --> /home/bottles/b.md:5:4
      |
    5 |   D:
      |    ^
      |
      = help: write "" for an empty one, "?" to be asked at launch, or "${NAME}" for the host's

    error: the variable `E` must be a single value, not a list
     --> /home/bottles/b.md:6:6
      |
    6 |   E: [1]
      |      ^^^ a list here
      |
      = help: write a text in quotes

    error: bad `limits.memory`: `2GB` is not a size: write a number of bytes, or one with K, M, G, T or KiB, MiB, GiB, TiB (powers of 1024), such as `512M` or `1.5GiB`
     --> /home/bottles/b.md:7:18
      |
    7 | limits: {memory: 2GB, cpus: many, pids: 1.5, time: 90}
      |                  ^^^

    error: bad `limits.cpus`: `many` is not a number of cores from 0.01 to 4096, such as 1.5
     --> /home/bottles/b.md:7:29
      |
    7 | limits: {memory: 2GB, cpus: many, pids: 1.5, time: 90}
      |                             ^^^^

    error: bad `limits.pids`: `1.5` is not a whole number such as 512
     --> /home/bottles/b.md:7:41
      |
    7 | limits: {memory: 2GB, cpus: many, pids: 1.5, time: 90}
      |                                         ^^^

    error: bad `limits.time`: `90` is not a span of time: write numbers with s, m, h or d, the largest first, such as `90m` or `1h30m`
     --> /home/bottles/b.md:7:52
      |
    7 | limits: {memory: 2GB, cpus: many, pids: 1.5, time: 90}
      |                                                    ^^

    error: bad path in `tools`: a path begins with `/` or `~/`
     --> /home/bottles/b.md:8:9
      |
    8 | tools: [relative, ~/../x]
      |         ^^^^^^^^

    error: bad path in `tools`: it holds `.` or `..`; write the path that they lead to
     --> /home/bottles/b.md:8:19
      |
    8 | tools: [relative, ~/../x]
      |                   ^^^^^^

    error: bad `path` of the workspace: a path in the bottle begins with `/`
     --> /home/bottles/b.md:9:19
      |
    9 | workspace: {path: here, exclude: [../x]}
      |                   ^^^^

    error: bad `exclude`: `../x` cannot be left out: it holds `.`, `..` or two slashes in a row
     --> /home/bottles/b.md:9:35
      |
    9 | workspace: {path: here, exclude: [../x]}
      |                                   ^^^^
    "#
    );
}

#[test]
fn bad_routes() {
    insta::assert_snapshot!(
        bottle_problems(
            r#"egress:
  routes:
    - host: https://a.example/
    - matches: []
    - host: b.example
      auth: {}
      matches: [{}, {paths: [{type: glob, value: "/*"}]}, {methods: []}]
    - host: B.example
      tls: passthrough
      auth: {scheme: Bearer, token_ref: T}
      addresses: [10.0.0.1/8, 0.0.0.0/0]
    - host: c.example
      matches: [{paths: [{type: regex, value: "(("}]}]
      dlp: {outbound_detectors: true, outbound_on_match: ask}"#
        ),
        @r#"
    error: bad `host`: `https://a.example/` is more than a host: it holds a scheme; write the host alone, such as `api.example.org`
     --> /home/bottles/b.md:4:13
      |
    4 |     - host: https://a.example/
      |             ^^^^^^^^^^^^^^^^^^

    error: a route needs `host`
     --> /home/bottles/b.md:5:7
      |
    5 |     - matches: []
      |       ^^^^^^^
      |
      = help: add `host: api.example.org`

    error: `auth` says nothing
     --> /home/bottles/b.md:7:13
      |
    7 |       auth: {}
      |             ^^
      |
      = help: write `auth: {scheme: Bearer, token_ref: VARIABLE}`, or remove it

    error: a match says nothing
     --> /home/bottles/b.md:8:17
      |
    8 |       matches: [{}, {paths: [{type: glob, value: "/*"}]}, {methods: []}]
      |                 ^^
      |
      = help: write `paths`, `methods` or `headers`, or remove `matches` to allow all requests

    error: `glob` is not a known type of paths: there are `exact`, `prefix`, `regex`
     --> /home/bottles/b.md:8:37
      |
    8 |       matches: [{}, {paths: [{type: glob, value: "/*"}]}, {methods: []}]
      |                                     ^^^^

    error: `methods` is empty: no request could fit
     --> /home/bottles/b.md:8:60
      |
    8 |       matches: [{}, {paths: [{type: glob, value: "/*"}]}, {methods: []}]
      |                                                            ^^^^^^^
      |
      = help: remove it to allow all

    error: the host `b.example` has two routes in this file
     --> /home/bottles/b.md:9:13
      |
    9 |     - host: B.example
      |             ^^^^^^^^^
      |
      = help: write one route and put both kinds of requests into its `matches`

    error: `tls: passthrough` leaves requests unopened, so `auth` could not be applied: remove one of the two
      --> /home/bottles/b.md:10:7
       |
    10 |       tls: passthrough
       |       ^^^^^^^^^^^^^^^^

    error: bad address: `10.0.0.1/8` has bits set beyond its prefix: write `10.0.0.0/8` for the block, or the address alone
      --> /home/bottles/b.md:12:19
       |
    12 |       addresses: [10.0.0.1/8, 0.0.0.0/0]
       |                   ^^^^^^^^^^

    error: bad address: `0.0.0.0/0` is too wide: at least /8 (IPv4) or /7 (IPv6), so that one route cannot open every private network
      --> /home/bottles/b.md:12:31
       |
    12 |       addresses: [10.0.0.1/8, 0.0.0.0/0]
       |                               ^^^^^^^^^

    error: bad `value`: `((` is no usable regular expression: unclosed group
      --> /home/bottles/b.md:14:47
       |
    14 |       matches: [{paths: [{type: regex, value: "(("}]}]
       |                                               ^^^^

    error: `outbound_detectors` must be `false` or a list of detectors, not true or false
      --> /home/bottles/b.md:15:33
       |
    15 |       dlp: {outbound_detectors: true, outbound_on_match: ask}
       |                                 ^^^^ true or false here
       |
       = help: write `false` for none, or some of [token_patterns, known_secrets, entropy]

    error: `ask` is not a known reaction: there are `supervise`, `redact`, `block`
      --> /home/bottles/b.md:15:58
       |
    15 |       dlp: {outbound_detectors: true, outbound_on_match: ask}
       |                                                          ^^^
    "#
    );
}

#[test]
fn bad_providers() {
    insta::assert_snapshot!(bottle_problems("agent_provider: {template: claud}"), @r"
    error: `claud` is not a known template: there are `claude`, `codex`, `command`
     --> /home/bottles/b.md:2:28
      |
    2 | agent_provider: {template: claud}
      |                            ^^^^^
      |
      = help: did you mean `claude`?
    ");
    insta::assert_snapshot!(bottle_problems("agent_provider: {template: command, auth_token: T, image: x y, dockerfile: ~/D}"), @r"
    error: `agent_provider` needs `command`
     --> /home/bottles/b.md:2:18
      |
    2 | agent_provider: {template: command, auth_token: T, image: x y, dockerfile: ~/D}
      |                  ^^^^^^^^
      |
      = help: add `command: [python3, agent.py]`

    error: `auth_token` is for `template: claude` alone, and this is `command`
     --> /home/bottles/b.md:2:37
      |
    2 | agent_provider: {template: command, auth_token: T, image: x y, dockerfile: ~/D}
      |                                     ^^^^^^^^^^
      |
      = help: remove it, or write `template: claude`

    error: bad image: `x y` is neither a path nor the name of an image
     --> /home/bottles/b.md:2:59
      |
    2 | agent_provider: {template: command, auth_token: T, image: x y, dockerfile: ~/D}
      |                                                           ^^^

    error: `dockerfile` and `image` exclude each other
     --> /home/bottles/b.md:2:64
      |
    2 | agent_provider: {template: command, auth_token: T, image: x y, dockerfile: ~/D}
      |                                                                ^^^^^^^^^^
      |
      = help: keep the one that the bottle should be made from
    ");
    insta::assert_snapshot!(bottle_problems("agent_provider: {command: [x], forward_host_credentials: true}"), @"
    error: `command` is for `template: command` alone, and this is `claude`
     --> /home/bottles/b.md:2:18
      |
    2 | agent_provider: {command: [x], forward_host_credentials: true}
      |                  ^^^^^^^
      |
      = help: remove it, or write `template: command`
    ");
}

#[test]
fn bad_ways_to_pay_for_the_model() {
    insta::assert_snapshot!(bottle_problems("agent_provider:\n  auth_token: T\n  api_key: K\n  forward_host_credentials: true"), @"
    error: `auth_token` and `api_key` exclude each other
     --> /home/bottles/b.md:4:3
      |
    4 |   api_key: K
      |   ^^^^^^^
      |
      = help: keep the one that the model should be paid with
    ");
    insta::assert_snapshot!(bottle_problems("agent_provider:\n  template: codex\n  auth_token: T"), @"
    error: `auth_token` is for `template: claude` alone, and this is `codex`
     --> /home/bottles/b.md:4:3
      |
    4 |   auth_token: T
      |   ^^^^^^^^^^
      |
      = help: remove it, or write `template: claude`
    ");
    insta::assert_snapshot!(bottle_problems("agent_provider:\n  template: command\n  command: [sh]\n  api_key: K"), @"
    error: `api_key` is for `template: claude` and `template: codex`, and this is `command`
     --> /home/bottles/b.md:5:3
      |
    5 |   api_key: K
      |   ^^^^^^^
      |
      = help: remove it, or write `template: claude` or `template: codex`
    ");
}

#[test]
fn bad_credential_references() {
    let told: String = [
        "7",
        "",
        "[A, B]",
        "{}",
        "{file: ~/a, command: [b]}",
        "{env: canary}",
        "{file: canary}",
        "{file: [~/a]}",
        "{command: canary}",
        "{command: []}",
        "{command: [./canary]}",
        "{command: [op, 7]}",
    ]
    .map(|form| {
        let shown = bottle_problems(&format!("agent_provider:\n  api_key: {form}"));
        assert!(!shown.contains("canary"), "{shown}");
        format!("{form}\n    {}\n", shown.lines().next().unwrap())
    })
    .concat();
    insta::assert_snapshot!(told, @"
    7
        error: bad `api_key`: a number stands there; write the name of a host variable, `{file: PATH}` or `{command: [PROGRAM, ARGUMENT, …]}`

        error: bad `api_key`: nothing stands there; write the name of a host variable, `{file: PATH}` or `{command: [PROGRAM, ARGUMENT, …]}`
    [A, B]
        error: bad `api_key`: a list stands there; write the name of a host variable, `{file: PATH}` or `{command: [PROGRAM, ARGUMENT, …]}`
    {}
        error: bad `api_key`: one of `file` and `command` must stand there; write the name of a host variable, `{file: PATH}` or `{command: [PROGRAM, ARGUMENT, …]}`
    {file: ~/a, command: [b]}
        error: bad `api_key`: one of `file` and `command` must stand there; write the name of a host variable, `{file: PATH}` or `{command: [PROGRAM, ARGUMENT, …]}`
    {env: canary}
        error: bad `api_key`: it has an unknown key; write the name of a host variable, `{file: PATH}` or `{command: [PROGRAM, ARGUMENT, …]}`
    {file: canary}
        error: bad `api_key`: bad `file`: a path begins with `/` or `~/`
    {file: [~/a]}
        error: bad `api_key`: `file` must be text, not a list
    {command: canary}
        error: bad `api_key`: `command` must be a list, not text; write `[PROGRAM, ARGUMENT, …]`
    {command: []}
        error: bad `api_key`: bad `command`: it names no program
    {command: [./canary]}
        error: bad `api_key`: bad `command`: its program is neither a name nor a path: a path begins with `/` or `~/`
    {command: [op, 7]}
        error: bad `api_key`: bad `command`: each argument must be text, not a number; put numbers into quotes
    ");
    insta::assert_snapshot!(bottle_problems("agent_provider:\n  api_key: {token: sk-canary}"), @"
    error: bad `api_key`: it has an unknown key; write the name of a host variable, `{file: PATH}` or `{command: [PROGRAM, ARGUMENT, …]}`
     --> /home/bottles/b.md:3:12
      |
    3 |   api_key: ********
      |            ^^^^^^^^
    ");
}

#[test]
fn bad_ports_and_dials() {
    let yaml = "egress:\n  routes:\n    - {host: a.example, ports: [0, 65536, 443, 443, '80']}\n    - {host: b.example, ports: []}\n    - host: c.example\n      dial: localhost:80\n    - host: d.example\n      dial: 0.0.0.0:80\n    - host: e.example\n      dial: 10.0.0.1:80\n      addresses: [10.0.0.0/8]\n    - {host: f.example, ports: 443, port: 443}";
    insta::assert_snapshot!(bottle_problems(yaml), @"
    error: not a port: ports are 1 to 65535
     --> /home/bottles/b.md:4:33
      |
    4 |     - {host: a.example, ports: [0, 65536, 443, 443, '80']}
      |                                 ^

    error: not a port: ports are 1 to 65535
     --> /home/bottles/b.md:4:36
      |
    4 |     - {host: a.example, ports: [0, 65536, 443, 443, '80']}
      |                                    ^^^^^

    error: the port 443 is named twice
     --> /home/bottles/b.md:4:48
      |
    4 |     - {host: a.example, ports: [0, 65536, 443, 443, '80']}
      |                                                ^^^
      |
      = help: keep one

    error: a port must be a number, not text
     --> /home/bottles/b.md:4:53
      |
    4 |     - {host: a.example, ports: [0, 65536, 443, 443, '80']}
      |                                                     ^^^^ text here
      |
      = help: write a number from 1 to 65535, such as `ports: [8443]`

    error: `ports` is empty: no port could be reached
     --> /home/bottles/b.md:5:25
      |
    5 |     - {host: b.example, ports: []}
      |                         ^^^^^
      |
      = help: remove it to allow 443 (TLS) and 80

    error: bad `dial`: `localhost:80` is not an address and port: write `127.0.0.1:8443` or `[fd00::1]:8443`; names are looked up by `host` alone
     --> /home/bottles/b.md:7:13
      |
    7 |       dial: localhost:80
      |             ^^^^^^^^^^^^

    error: bad `dial`: `0.0.0.0:80` cannot be connected to: it stands for this machine; write `127.0.0.1` or `[::1]`
     --> /home/bottles/b.md:9:13
      |
    9 |       dial: 0.0.0.0:80
      |             ^^^^^^^^^^

    error: `dial` names the address that is connected to, so `addresses` would do nothing: remove one of the two
      --> /home/bottles/b.md:12:7
       |
    12 |       addresses: [10.0.0.0/8]
       |       ^^^^^^^^^^^^^^^^^^^^^^^

    error: `ports` must be a list, not a number
      --> /home/bottles/b.md:13:32
       |
    13 |     - {host: f.example, ports: 443, port: 443}
       |                                ^^^ a number here
       |
       = help: write `[a, b]`, or one line `- a` for each

    error: the key `port` is called `ports`
      --> /home/bottles/b.md:13:37
       |
    13 |     - {host: f.example, ports: 443, port: 443}
       |                                     ^^^^
       |
       = help: write `ports: [NUMBER]`
    ");
}

/// A line is shown for whatever is wrong on it.
#[test]
fn a_pasted_credential_is_not_shown_for_another_mistake_on_its_line() {
    insta::assert_snapshot!(bottle_problems("agent_provider: {api_key: {token: sk-canary}, auth_token: T, other: x}"), @"
    error: `auth_token` and `api_key` exclude each other
     --> /home/bottles/b.md:2:18
      |
    2 | agent_provider: {api_key: ******************, auth_token: T, other: x}
      |                  ^^^^^^^
      |
      = help: keep the one that the model should be paid with

    error: bad `api_key`: it has an unknown key; write the name of a host variable, `{file: PATH}` or `{command: [PROGRAM, ARGUMENT, …]}`
     --> /home/bottles/b.md:2:27
      |
    2 | agent_provider: {api_key: ********, auth_token: T, other: x}
      |                           ^^^^^^^^

    error: unknown key `other` in `agent_provider`
     --> /home/bottles/b.md:2:62
      |
    2 | agent_provider: {api_key: ******************, auth_token: T, other: x}
      |                                                              ^^^^^ unknown key
      |
      = help: the keys here are `template`, `command`, `image`, `dockerfile`, `auth_token`, `api_key`, `forward_host_credentials`
    ");
}

/// People paste the credential where its name belongs. The report must not become a second copy of it.
#[test]
fn a_pasted_credential_is_never_shown() {
    let yaml = "egress: {routes: [{host: a.example, auth: {scheme: Bearer, token_ref: sk-canary-1}}]}\nagent_provider: {auth_token: sk-canary-2}\ngit-gate:\n  repos:\n    r:\n      url: ssh://git:canary-3@h.example/r\n      key: {provider: gitea, token_env: canary-4}";
    let scene = Scene::new().bottle("b", yaml).agent("a", "bottle: b");
    let error = scene.try_resolve("a", &[]).unwrap_err();
    let told: String = error.diagnostics().iter().map(|d| format!("{d} {} {d:?}", d.render(Style::Coloured))).collect();
    assert_eq!(error.diagnostics().len(), 4);
    assert!(!told.contains("canary"), "{told}");
    insta::assert_snapshot!(scene.problems("a"), @r"
    error: bad `token_ref`: not the name of an environment variable: write the name of the variable that holds the credential (`[A-Za-z_][A-Za-z0-9_]*`), never the credential itself
     --> /home/bottles/b.md:2:71
      |
    2 | egress: {routes: [{host: a.example, auth: {scheme: Bearer, token_ref: ********}}]}
      |                                                                       ^^^^^^^^

    error: bad `auth_token`: not the name of an environment variable: write the name of the variable that holds the credential (`[A-Za-z_][A-Za-z0-9_]*`), never the credential itself
     --> /home/bottles/b.md:3:30
      |
    3 | agent_provider: {auth_token: ********}
      |                              ^^^^^^^^

    error: bad `url`: `ssh://git:********@h.example/r` is no usable SSH URL: it holds a password; keys alone are used
     --> /home/bottles/b.md:7:12
      |
    7 |       url: ********
      |            ^^^^^^^^

    error: bad `token_env`: not the name of an environment variable: write the name of the variable that holds the credential (`[A-Za-z_][A-Za-z0-9_]*`), never the credential itself
     --> /home/bottles/b.md:8:41
      |
    8 |       key: {provider: gitea, token_env: ********}
      |                                         ^^^^^^^^
    ");
}

#[test]
fn an_agent_cannot_grant_itself_anything() {
    let scene = Scene::new().bottle("b", "").repository_agent(
        "theirs",
        "bottle: b\nenv: {A: '${SECRET}'}\negress: {}\ntools: [/]\ngit-gate: {repos: {}}\nskills: [../../.ssh, '$(id)', a;b, /etc, '', 7]",
    );
    insta::assert_snapshot!(scene.problems("theirs"), @r#"
    error: the key `env` belongs to bottles alone
     --> /work/.bot-bottle/agents/theirs.md:3:1
      |
    3 | env: {A: '${SECRET}'}
      | ^^^
      |
      = help: move it to a bottle in ~/.bot-bottle/bottles/: a repository can ship agents, and must not be able to give itself more than you do

    error: the key `egress` belongs to bottles alone
     --> /work/.bot-bottle/agents/theirs.md:4:1
      |
    4 | egress: {}
      | ^^^^^^
      |
      = help: move it to a bottle in ~/.bot-bottle/bottles/: a repository can ship agents, and must not be able to give itself more than you do

    error: the key `tools` belongs to bottles alone
     --> /work/.bot-bottle/agents/theirs.md:5:1
      |
    5 | tools: [/]
      | ^^^^^
      |
      = help: move it to a bottle in ~/.bot-bottle/bottles/: a repository can ship agents, and must not be able to give itself more than you do

    error: the key `repos` belongs to bottles alone
     --> /work/.bot-bottle/agents/theirs.md:6:12
      |
    6 | git-gate: {repos: {}}
      |            ^^^^^
      |
      = help: move it to a bottle in ~/.bot-bottle/bottles/: a repository can ship agents, and must not be able to give itself more than you do

    error: bad skill: `../../.ssh` cannot be the name of a skill: use 1 to 64 of a-z, 0-9 and `-`, and begin with a letter or digit
     --> /work/.bot-bottle/agents/theirs.md:7:10
      |
    7 | skills: [../../.ssh, '$(id)', a;b, /etc, '', 7]
      |          ^^^^^^^^^^

    error: bad skill: `$(id)` cannot be the name of a skill: use 1 to 64 of a-z, 0-9 and `-`, and begin with a letter or digit
     --> /work/.bot-bottle/agents/theirs.md:7:22
      |
    7 | skills: [../../.ssh, '$(id)', a;b, /etc, '', 7]
      |                      ^^^^^^^

    error: bad skill: `a;b` cannot be the name of a skill: use 1 to 64 of a-z, 0-9 and `-`, and begin with a letter or digit
     --> /work/.bot-bottle/agents/theirs.md:7:31
      |
    7 | skills: [../../.ssh, '$(id)', a;b, /etc, '', 7]
      |                               ^^^

    error: bad skill: `/etc` cannot be the name of a skill: use 1 to 64 of a-z, 0-9 and `-`, and begin with a letter or digit
     --> /work/.bot-bottle/agents/theirs.md:7:36
      |
    7 | skills: [../../.ssh, '$(id)', a;b, /etc, '', 7]
      |                                    ^^^^

    error: bad skill: `` cannot be the name of a skill: use 1 to 64 of a-z, 0-9 and `-`, and begin with a letter or digit
     --> /work/.bot-bottle/agents/theirs.md:7:42
      |
    7 | skills: [../../.ssh, '$(id)', a;b, /etc, '', 7]
      |                                          ^^

    error: skill must be text, not a number
     --> /work/.bot-bottle/agents/theirs.md:7:46
      |
    7 | skills: [../../.ssh, '$(id)', a;b, /etc, '', 7]
      |                                              ^ a number here
      |
      = help: put it into quotes: "7"
    "#);
}

#[test]
fn no_yaml_at_all() {
    let scene = Scene::new()
        .file("home/agents/plain.md", "You are a careful programmer.\n")
        .file("home/agents/open.md", "---\nbottle: b\n")
        .agent("list", "- a\n- b")
        .agent("syntax", "bottle: b: c")
        .agent("tabs", "git-gate:\n\tuser: {}");
    insta::assert_snapshot!(scene.problems("plain"), @r"
    error: the file has no front matter: its first line is not `---`
     --> /home/agents/plain.md:1:1
      |
    1 | You are a careful programmer.
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: a manifest begins with a line `---`, then YAML, then another line `---`, then text
    ");
    insta::assert_snapshot!(scene.problems("open"), @r"
    error: the front matter that begins here has no end
     --> /home/agents/open.md:1:1
      |
    1 | ---
      | ^^^
      |
      = help: a manifest begins with a line `---`, then YAML, then another line `---`, then text
    ");
    insta::assert_snapshot!(scene.problems("list"), @r"
    error: an agent must be a map, not a list
     --> /home/agents/list.md:2:1
      |
    2 | - a
      | ^^^ a list here
      |
      = help: write keys and values, such as `bottle: …`
    ");
    insta::assert_snapshot!(scene.problems("syntax"), @r"
    error: this is not valid YAML: mapping values are not allowed in this context
     --> /home/agents/syntax.md:2:10
      |
    2 | bottle: b: c
      |          ^
      |
      = help: put the value into quotes
    ");
    insta::assert_snapshot!(scene.problems("tabs"), @r"
    error: a tab where YAML wants spaces
     --> /home/agents/tabs.md:3:1
      |
    3 |     user: {}
      | ^^^^ tab
      |
      = help: indent with spaces, two for each level
    ");
}

#[test]
fn a_flood_of_problems_is_cut() {
    let yaml: String = (0..3000).map(|n| format!("unknown{n}: x\n")).collect();
    let scene = Scene::new().bottle("b", &yaml).agent("a", "bottle: b");
    let error = scene.try_resolve("a", &[]).unwrap_err();
    assert_eq!(error.diagnostics().len(), 51);
    assert!(error.to_string().ends_with("and 2950 more problems in this file"));
}

#[test]
fn colours_are_the_callers_choice() {
    let scene = Scene::new().bottle("b", "x: 1").agent("a", "bottle: b");
    let error = scene.try_resolve("a", &[]).unwrap_err();
    assert!(error.render(Style::Coloured).contains('\u{1b}'));
    assert!(!error.render(Style::Plain).contains('\u{1b}'));
}
