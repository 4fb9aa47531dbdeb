//! Where credentials are kept: data.

/// Folders and files below the home that hold credentials, sessions, keys or histories.
pub(super) const IN_HOME: &[&str] = &[
    // keys and logins of the shell's tools
    ".ssh",
    ".gnupg",
    ".netrc",
    ".authinfo",
    ".authinfo.gpg",
    ".git-credentials",
    ".config/git/credentials",
    ".config/gh",
    ".config/hub",
    ".config/glab-cli",
    ".config/tea",
    ".subversion/auth",
    ".Xauthority",
    ".ICEauthority",
    ".pki",
    ".bash_history",
    ".zsh_history",
    ".local/share/fish/fish_history",
    ".python_history",
    ".node_repl_history",
    ".psql_history",
    ".mysql_history",
    // clouds, clusters, engines
    ".aws",
    ".azure",
    ".config/gcloud",
    ".boto",
    ".s3cfg",
    ".oci",
    ".config/doctl",
    ".config/hcloud",
    ".config/rclone",
    ".config/heroku",
    ".fly",
    ".kube",
    ".docker",
    ".config/containers",
    ".config/helm",
    ".terraform.d",
    ".terraformrc",
    ".vault-token",
    ".ansible",
    ".config/sops",
    ".config/age",
    // package registries
    ".npmrc",
    ".yarnrc",
    ".yarnrc.yml",
    ".pypirc",
    ".config/pip",
    ".config/pypoetry/auth.toml",
    ".cargo/credentials",
    ".cargo/credentials.toml",
    ".gem/credentials",
    ".m2/settings.xml",
    ".m2/settings-security.xml",
    ".gradle/gradle.properties",
    ".composer/auth.json",
    ".config/composer/auth.json",
    ".nuget/NuGet",
    ".hex",
    // databases
    ".pgpass",
    ".my.cnf",
    ".mylogin.cnf",
    // agents and models
    ".claude",
    ".claude.json",
    ".config/claude",
    ".config/Claude",
    ".codex",
    ".gemini",
    ".config/github-copilot",
    ".local/share/opencode",
    ".cache/huggingface/token",
    ".huggingface",
    ".kaggle",
    ".config/openai",
    ".bot-bottle",
    // password stores and keyrings
    ".password-store",
    ".local/share/keyrings",
    ".local/share/kwalletd",
    ".kde/share/apps/kwallet",
    ".op",
    ".config/op",
    ".config/1Password",
    ".config/Bitwarden",
    ".config/Bitwarden CLI",
    ".config/keepassxc",
    ".lastpass",
    // browsers and mail
    ".mozilla",
    ".config/mozilla",
    ".thunderbird",
    ".config/google-chrome",
    ".config/google-chrome-beta",
    ".config/chromium",
    ".config/BraveSoftware",
    ".config/microsoft-edge",
    ".config/vivaldi",
    ".config/opera",
    ".config/Slack",
    ".config/discord",
    ".config/Code",
    "snap",
    ".var/app",
];

/// Programs that stand inside a place of [`IN_HOME`] and hold no credential themselves.
pub(super) const PROGRAMS_INSIDE: &[&str] = &[".claude/local/node_modules", ".codex/packages"];

/// System places that no bottle sees by a tool, with all that is below them.
pub(super) const SYSTEM: &[&str] =
    &["/etc", "/run", "/var/run", "/proc", "/sys", "/dev", "/boot", "/var/lib/docker", "/var/lib/containerd"];

/// Folders of homes: refused themselves, and every home in them.
pub(super) const HOMES: &[&str] = &["/home", "/Users", "/var/home"];

/// Variables that move a credential's place, and what below their value holds credentials (`""`: all of it).
pub(super) const MOVED_BY: &[(&str, &[&str])] = &[
    ("GNUPGHOME", &[""]),
    ("KUBECONFIG", &[""]),
    ("CLAUDE_CONFIG_DIR", &[""]),
    ("CODEX_HOME", &[""]),
    ("AWS_CONFIG_FILE", &[""]),
    ("AWS_SHARED_CREDENTIALS_FILE", &[""]),
    ("AZURE_CONFIG_DIR", &[""]),
    ("CARGO_HOME", &["credentials", "credentials.toml"]),
    ("CLOUDSDK_CONFIG", &[""]),
    ("DOCKER_CONFIG", &[""]),
    ("GH_CONFIG_DIR", &[""]),
    ("NETRC", &[""]),
    ("PASSWORD_STORE_DIR", &[""]),
];

/// Programs that stand inside a place of [`MOVED_BY`] and hold no credential themselves.
pub(super) const PROGRAMS_MOVED_BY: &[(&str, &str)] = &[("CLAUDE_CONFIG_DIR", "local/node_modules"), ("CODEX_HOME", "packages")];

/// Names that make a folder unfit when they stand directly in it.
pub(super) const NAMES: &[&str] = &[
    ".netrc",
    ".npmrc",
    ".pypirc",
    ".git-credentials",
    ".env",
    ".credentials.json",
    ".vault-token",
    ".pgpass",
    ".ssh",
    ".gnupg",
    ".aws",
];

/// What is a credential at any depth of a tool, by its exact name and, where the name alone says little, its folder's.
pub(super) const ANYWHERE: &[(Option<&str>, &str)] = &[
    (None, ".ssh"),
    (None, ".gnupg"),
    (None, ".aws"),
    (None, ".azure"),
    (None, ".password-store"),
    (None, ".netrc"),
    (None, ".npmrc"),
    (None, ".pypirc"),
    (None, ".pgpass"),
    (None, ".env"),
    (None, ".git-credentials"),
    (None, ".credentials.json"),
    (None, ".claude.json"),
    (None, ".vault-token"),
    (None, "id_rsa"),
    (None, "id_dsa"),
    (None, "id_ecdsa"),
    (None, "id_ecdsa_sk"),
    (None, "id_ed25519"),
    (None, "id_ed25519_sk"),
    (Some(".codex"), "auth.json"),
    (Some(".docker"), "config.json"),
    (Some(".kube"), "config"),
    (Some(".config"), "gcloud"),
    (Some("gh"), "hosts.yml"),
    (Some(".cargo"), "credentials"),
    (Some(".cargo"), "credentials.toml"),
    (Some(".gem"), "credentials"),
    (Some(".m2"), "settings.xml"),
    (Some(".mozilla"), "firefox"),
];

/// Folders into which package managers unpack what others publish: names of credentials in them are fixtures of tests.
pub(super) const PACKAGES: &[&str] = &["node_modules", "site-packages", "dist-packages", "gems"];
