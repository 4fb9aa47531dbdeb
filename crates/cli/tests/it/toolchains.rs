//! Every toolchain of the table in `docs/guide/certificates.md` believes the session's authority without a flag, and nobody that
//! the host does not believe either.
//!
//! Each test runs a real tool in a real bottle against TLS servers in it. Tools of the system come from apt, the others from pip
//! and npm into a folder that `BOT_BOTTLE_TEST_TOOLCHAINS` names (checks/install.sh).

mod arena;

use arena::{Arena, variables};

use crate::needs::Needs::{self, Agent, Cargo, Installed, System};
use crate::needs::find;

/// What the tool's trust must not depend on.
enum Variables {
    /// It works by the places of the system too: with all variables, and with none.
    NotNeeded,
    /// It works by this variable, whatever becomes of the others.
    Only(&'static str),
}

use Variables::{NotNeeded, Only};

macro_rules! toolchains {
    ($($name:ident: $needs:expr, $variables:expr, $script:expr;)*) => {
        $(#[tokio::test]
        async fn $name() {
            check($needs, $variables, $script).await;
        })*

        const TESTS: &[&str] = &[$(stringify!($name)),*];
    };
}

toolchains! {
    curl: System(&["curl"]), NotNeeded, "curl -sS $URL/";
    wget: System(&["wget"]), NotNeeded, "wget -qO- $URL/";
    openssl: System(&["openssl"]), NotNeeded,
        "openssl s_client -verify_return_error -connect localhost:$PORT </dev/null && echo answer-of-the-origin";
    git: System(&["git"]), NotNeeded, GIT;
    git_with_a_bundle_of_its_own: System(&["git"]), Only("GIT_SSL_CAINFO"), GIT_WITH_ITS_OWN;
    apt: System(&["apt-get"]), NotNeeded, "/usr/lib/apt/apt-helper download-file $URL/ got; cat got";
    python_urllib: System(&["python3"]), NotNeeded,
        "/usr/bin/python3 -c \"import urllib.request as u; print(u.urlopen('$URL/').read().decode())\"";
    python_requests: Installed("python/requests"), Only("REQUESTS_CA_BUNDLE"),
        "PYTHONPATH=$TOOLCHAINS/python /usr/bin/python3 -c \"import requests; print(requests.get('$URL/').text)\"";
    python_httplib2: Installed("python/httplib2"), Only("HTTPLIB2_CA_CERTS"),
        "PYTHONPATH=$TOOLCHAINS/python /usr/bin/python3 -c \"import httplib2; print(httplib2.Http().request('$URL/')[1].decode())\"";
    python_grpc: Installed("python/grpc"), Only("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"), GRPC;
    pip: Installed("python/pip"), Only("REQUESTS_CA_BUNDLE"),
        "PYTHONPATH=$TOOLCHAINS/python /usr/bin/python3 -m pip install -q --retries 0 --no-cache-dir --index-url $URL/simple --target here \
         bottled; PYTHONPATH=here /usr/bin/python3 -m bottled";
    uv: Installed("python/bin/uv"), Only("SSL_CERT_FILE"),
        "UV_HTTP_RETRIES=0 $TOOLCHAINS/python/bin/uv pip install -q --no-cache --python /usr/bin/python3 --index-url $URL/simple --target here \
         bottled; PYTHONPATH=here /usr/bin/python3 -m bottled";
    node_fetch: System(&["node"]), Only("NODE_EXTRA_CA_CERTS"), "node -e \"fetch('$URL/').then(a => a.text()).then(console.log)\"";
    node_https: System(&["node"]), Only("NODE_EXTRA_CA_CERTS"), "node -e \"require('https').get('$URL/', a => a.pipe(process.stdout))\"";
    npm: System(&["npm"]), Only("NODE_EXTRA_CA_CERTS"),
        // Of the machine's own settings nothing: some name a bundle there.
        "npm install --cache cache --globalconfig /dev/null --silent --no-audit --no-fund --fetch-retries 0 --registry $URL/npm bottled; \
         node -e \"require('bottled')\"";
    deno: Installed("npm/bin/deno"), Only("DENO_CERT"),
        "$TOOLCHAINS/npm/bin/deno eval \"console.log(await (await fetch('$URL/')).text())\"";
    java: Installed("java/Fetch.class"), NotNeeded, "java -cp $TOOLCHAINS/java Fetch $URL/";
    java_keytool: System(&["keytool", "openssl"]), NotNeeded, KEYTOOL;
    go: Installed("fetch-go"), NotNeeded, "$TOOLCHAINS/fetch-go $URL/";
    ruby: System(&["ruby"]), NotNeeded, "ruby -ropen-uri -e 'puts URI.open(ENV[\"URL\"] + \"/\").read'";
    cargo: Cargo, NotNeeded, CARGO;
    codex: Agent("codex"), NotNeeded, CODEX;
    claude: Agent("claude"), NotNeeded, CLAUDE;
}

#[test]
fn the_guide_names_every_tool_and_variable() {
    let guide = std::fs::read_to_string("../../docs/guide/certificates.md").unwrap();
    // Of the rows `| tool | believes by | test |` the last.
    let rows = guide.lines().filter(|line| line.matches('|').count() == 4);
    let tested: Vec<_> = rows.filter_map(|row| row.strip_suffix("` |")?.rsplit_once('`')).map(|(_, test)| test).collect();
    assert_eq!(tested, TESTS);
    for variable in variables() {
        assert!(guide.contains(&format!("`{variable}`")), "{variable}");
    }
}

const REPOSITORY: &str = "git init -q --bare ~/served/r.git; tree=$(git -C ~/served/r.git mktree </dev/null)
commit=$(git -C ~/served/r.git -c user.name=a -c user.email=a@b commit-tree -m answer-of-the-origin $tree)
git -C ~/served/r.git update-ref HEAD $commit; git -C ~/served/r.git update-server-info";
const GIT: &str = "make_repository; git clone -q $URL/r.git here; git -C here log --format=%s";
const GIT_WITH_ITS_OWN: &str = "make_repository; git config --global http.sslCAInfo /nowhere.pem; git clone -q $URL/r.git here; \
                                git -C here log --format=%s";
const GRPC: &str = r#"PYTHONPATH=$TOOLCHAINS/python timeout $PATIENCE /usr/bin/python3 -c "
import grpc
channel = grpc.secure_channel('localhost:%d' % ($PORT + 1), grpc.ssl_channel_credentials())
print(channel.unary_unary('/origin/get')(b'', timeout=$PATIENCE).decode())""#;
/// keytool shows what a server presents and trusts everybody; what it trusts is what its store holds.
const KEYTOOL: &str = "keytool -printcert -rfc -sslserver localhost:$PORT | sed '/END/q' > leaf.pem
keytool -exportcert -rfc -cacerts -storepass changeit -alias bot-bottle > authority.pem
keytool -list -cacerts -storepass changeit | grep -c trustedCertEntry
openssl verify -CAfile authority.pem -no-CApath leaf.pem && echo answer-of-the-origin";
const CARGO: &str = r#"mkdir src; touch src/lib.rs
printf '[package]\nname = "p"\nversion = "1.0.0"\nedition = "2021"\n[dependencies]\nbottled = { version = "1", registry = "o" }\n' > Cargo.toml
export CARGO_REGISTRIES_O_INDEX=sparse+$URL/index/ CARGO_HOME=$PWD/home CARGO_NET_RETRY=0
$CARGO vendor -q vendored >/dev/null; cat vendored/bottled/src/lib.rs"#;
/// The agents' own request is what counts: what they make of the answer differs from version to version.
const CODEX: &str = r#"timeout $PATIENCE codex exec --dangerously-bypass-approvals-and-sandbox --skip-git-repo-check -c model_provider=t \
-c "model_providers.t={name=\"t\",base_url=\"$URL/v1\",wire_api=\"responses\",request_max_retries=0,stream_max_retries=0}" hi </dev/null || true
grep -q 'POST /v1/responses' ~/served/asked && echo answer-of-the-origin"#;
const CLAUDE: &str = r#"export ANTHROPIC_BASE_URL=$URL ANTHROPIC_API_KEY=x CLAUDE_CODE_MAX_RETRIES=0 CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1
timeout $PATIENCE claude -p hi </dev/null || true
grep -q 'POST /v1/messages' ~/served/asked && echo answer-of-the-origin"#;

async fn check(needs: Needs, trust: Variables, script: &str) {
    let found = match find(needs) {
        Ok(found) => found,
        Err((component, reason)) => return testkit::require(component, &reason),
    };
    let arena = Arena::open(&found.tools).await;
    let script = format!("make_repository() {{\nrm -rf ~/served/r.git; {REPOSITORY}\n}}\n{}{script}", found.prelude);
    arena.assert_trusts_the_session_alone(&script, &[]).await;
    let without: Vec<_> = match trust {
        NotNeeded => variables(),
        Only(needed) => variables().into_iter().filter(|name| *name != needed).collect(),
    };
    arena.assert_trusts_the_session_alone(&script, &without).await;
    if let Only(needed) = trust {
        // The variable is there for a reason: without any the tool believes nobody here.
        let (success, output) = arena.run(&script, arena::Origin::Trusted, &variables()).await;
        assert!(!success, "{needed} is not needed: {output}");
    }
    arena.close().await;
}
