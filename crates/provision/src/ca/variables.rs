use super::places::{AUTHORITY, BUNDLE};

/// Variables for programs that read no place of the system's, each with a value; the bottle's own `env` wins over them.
/// Most name the whole bundle, because these programs trust nothing else once they are set.
pub const VARIABLES: [(&str, &str); 10] = [
    // Every OpenSSL that was built for another place (conda, Homebrew, pyenv, Python's portable builds), Go, and what loads
    // roots with rustls-native-certs: uv, and Rust's programs that carry their own roots otherwise.
    ("SSL_CERT_FILE", BUNDLE),
    // Node and Bun carry their own roots: npm, Claude Code, every SDK for JavaScript. These come on top of them, and Node reads
    // them at each start whether it needs them or not: the authority alone saves it some 30 ms.
    ("NODE_EXTRA_CA_CERTS", AUTHORITY),
    // Deno carries its own roots.
    ("DENO_CERT", BUNDLE),
    // requests trusts the package certifi alone: pip before 24.2, boto3 and the aws command, poetry, conda.
    ("REQUESTS_CA_BUNDLE", BUNDLE),
    // httplib2 trusts certifi alone: Google's older API clients.
    ("HTTPLIB2_CA_CERTS", BUNDLE),
    // gcloud sets its own bundle for requests and httplib2.
    ("CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE", BUNDLE),
    // gRPC's C core carries its own roots: Python, Ruby, PHP, C++.
    ("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", BUNDLE),
    // A git or cargo with a libcurl of its own, and one whose configuration names a bundle: the variable wins over that.
    ("GIT_SSL_CAINFO", BUNDLE),
    ("CARGO_HTTP_CAINFO", BUNDLE),
    // Codex builds its own list of roots.
    ("CODEX_CA_CERTIFICATE", BUNDLE),
];
