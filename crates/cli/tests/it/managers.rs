//! Package managers and git at work in a bottle, each by the real program: through a route to a private server, with the person's
//! credential, which the bottle never sees; and without a route, where the tool's own output says why it failed.

mod market;

use crate::elsewhere::only_native;
use market::{HOST, Market, Paid, packages};
use testkit::origin::{Origin, git_server};

use crate::needs::Needs::{Cargo, Installed, System};
use crate::scene::Ran;

#[test]
fn pip_installs_from_a_private_index() {
    let Some(market) = Market::open(Installed("python/pip"), Paid::Basic, packages("https")) else { return };
    let ran = market.run(PIP);
    assert!(ran.stdout.contains("answer-of-the-origin"), "{ran:?}");
    saw(&market.origin, &["GET /bottled-1.0-py3-none-any.whl", "GET /simple/bottled/"]);
    let ran = market.closed().run(PIP);
    refused(&ran, "Tunnel connection failed: 403 egress.host: packages.example.org is not a host that this bottle may reach");
}

#[test]
fn uv_installs_from_a_private_index() {
    let Some(market) = Market::open(Installed("python/bin/uv"), Paid::Basic, packages("https")) else { return };
    let ran = market.run(UV);
    assert!(ran.stdout.contains("answer-of-the-origin"), "{ran:?}");
    refused(&market.closed().run(UV), "tunnel");
}

#[test]
fn npm_installs_from_a_private_registry() {
    let Some(market) = Market::open(System(&["npm"]), Paid::Bearer, packages("https")) else { return };
    let ran = market.run(NPM);
    assert!(ran.stdout.contains("answer-of-the-origin"), "{ran:?}");
    saw(&market.origin, &["GET /bottled.tgz", "GET /npm/bottled"]);
    refused(&market.closed().run(NPM), "403 egress.host: packages.example.org is not a host that this bottle may reach");
}

#[test]
fn cargo_builds_with_a_crate_of_a_private_registry() {
    if !only_native("a toolchain below /root, which images keep closed") {
        return;
    }
    let Some(market) = Market::open(Cargo, Paid::Bare, packages("https")) else { return };
    let ran = market.run(CARGO);
    assert!(ran.stdout.contains("answer-of-the-origin"), "{ran:?}");
    saw(&market.origin, &["GET /bottled.crate", "GET /private/bo/tt/bottled", "GET /private/config.json"]);
    refused(&market.closed().run(CARGO), "CONNECT tunnel failed, response 403");
}

#[test]
fn apt_updates_and_installs_as_the_bottles_root() {
    let Some(market) = Market::open(System(&["apt-get", "dpkg"]), Paid::Basic, packages("https")) else { return };
    let script = apt("https");
    let ran = market.run_as_root(&script);
    assert!(ran.stdout.contains("answer-of-the-origin"), "{ran:?}");
    saw(&market.origin, &["GET /apt/./Packages", "GET /apt/./bottled_1.0_all.deb"]);
    refused(
        &market.closed().run_as_root(&script),
        "403 egress.host: packages.example.org is not a host that this bottle may reach",
    );
}

#[test]
fn apt_updates_and_installs_from_a_mirror_without_tls() {
    let Some(market) = Market::open(System(&["apt-get", "dpkg"]), Paid::Open, packages("http")) else { return };
    let script = apt("http");
    let ran = market.run_as_root(&script);
    assert!(ran.stdout.contains("answer-of-the-origin"), "{ran:?}");
    refused(
        &market.closed().run_as_root(&script),
        "403  egress.host: packages.example.org is not a host that this bottle may reach",
    );
}

#[test]
fn git_clones_and_fetches_from_a_private_forge() {
    let Some((market, _folder)) = forge() else { return };
    let ran = market.run(CLONE_AND_FETCH);
    assert!(ran.stdout.contains("first-commit") && ran.stdout.contains("second-commit"), "{ran:?}");
    saw(&market.origin, &["POST /team/r.git/git-upload-pack"]);
    refused(&market.closed().run(CLONE_AND_FETCH), "CONNECT tunnel failed, response 403");
}

#[test]
fn git_pushes_over_https_are_refused_and_git_says_why() {
    let Some((market, folder)) = forge() else { return };
    let heads =
        || Ran::of(std::process::Command::new("git").arg("-C").arg(folder.path().join("team/r.git")).arg("for-each-ref")).stdout;
    let before = heads();
    let ran = market.run(PUSH);
    assert!(ran.stdout.contains("remote: egress.git_push: a git push over HTTP goes round the gate"), "{ran:?}");
    assert!(ran.stdout.contains("remote: hint: push to the remote that the bottle set up"), "{ran:?}");
    assert!(ran.stdout.contains("push-failed"), "{ran:?}");
    assert_eq!(heads(), before);
    assert!(market.origin.requests().iter().all(|request| !request.everything().contains("receive-pack")));
}

const PIP: &str = "export PYTHONPATH=$TOOLCHAINS/python; /usr/bin/python3 -m pip install -q --retries 1 --no-cache-dir \
                   --index-url https://$HOST/simple --target here bottled && PYTHONPATH=here /usr/bin/python3 -m bottled";
const UV: &str = "UV_HTTP_RETRIES=0 $TOOLCHAINS/python/bin/uv pip install -q --no-cache --python /usr/bin/python3 \
                  --index-url https://$HOST/simple --target here bottled && PYTHONPATH=here /usr/bin/python3 -m bottled";
// Of the machine's own settings nothing: some name a bundle there.
const NPM: &str = "npm install --globalconfig /dev/null --no-audit --no-fund --fetch-retries 0 --registry https://$HOST/npm bottled && \
                   node -e \"require('bottled')\"";
/// The registry wants a token even for its index, and cargo one before it asks: any will do.
const CARGO: &str = r#"mkdir src
echo 'pub fn words() -> &'"'"'static str { bottled::WORDS }' > src/lib.rs
printf '[package]\nname = "p"\nversion = "1.0.0"\nedition = "2021"\n[dependencies]\nbottled = { version = "1", registry = "o" }\n' > Cargo.toml
export CARGO_REGISTRIES_O_INDEX=sparse+https://$HOST/private/ CARGO_REGISTRIES_O_TOKEN=placeholder CARGO_NET_RETRY=0 \
CARGO_REGISTRIES_O_CREDENTIAL_PROVIDER=cargo:token
cargo build && cat ~/.cargo/registry/src/*/bottled-1.0.0/src/lib.rs"#;
const CLONE_AND_FETCH: &str = "git clone --single-branch --branch main https://$HOST/team/r.git here && git -C here log --format=%s && \
                               git -C here fetch origin second && git -C here log --format=%s FETCH_HEAD";
const PUSH: &str = "git clone -q --branch main https://$HOST/team/r.git here && cd here && git -c user.name=a -c user.email=a@b \
                    commit -q --allow-empty -m mine && git push origin HEAD:main || echo push-failed";

/// A native bottle has no database of packages: an empty one does.
fn apt(scheme: &str) -> String {
    format!(
        "rmdir /var/lib/apt/lists/partial /var/cache/apt/archives/partial 2>/dev/null
mkdir -p /etc/apt/apt.conf.d /etc/apt/preferences.d /var/lib/apt/lists/partial /var/cache/apt/archives/partial /var/log/apt \
         /var/lib/dpkg/info /var/lib/dpkg/updates /var/lib/dpkg/triggers; touch /var/lib/dpkg/status
echo 'deb [trusted=yes] {scheme}://{HOST}/apt ./' > /etc/apt/sources.list
set -- -o APT::Sandbox::User=root -o Acquire::Retries=0
apt-get \"$@\" update && apt-get \"$@\" install -y bottled && cat /usr/share/bottled"
    )
}

/// A forge with a repository of two branches, `team/r.git`.
fn forge() -> Option<(Market, tempfile::TempDir)> {
    let folder = tempfile::tempdir().unwrap();
    let market = Market::open(System(&["git"]), Paid::Basic, git_server(folder.path()))?;
    let script = "git init -q --bare team/r.git && cd team/r.git && tree=$(git mktree </dev/null)
commit() { git -c user.name=a -c user.email=a@b commit-tree $tree \"$@\"; }
first=$(commit -m first-commit) && git update-ref refs/heads/main $first && git symbolic-ref HEAD refs/heads/main
second=$(commit -p $first -m second-commit) && git update-ref refs/heads/second $second";
    let made = Ran::of(std::process::Command::new("sh").args(["-ec", script]).current_dir(folder.path()));
    assert_eq!(made.code, 0, "{made:?}");
    Some((market, folder))
}

/// Each of these requests was made, and paid for as the server wants it: it answers no other.
#[track_caller]
fn saw(origin: &Origin, requests: &[&str]) {
    let seen: Vec<_> = origin.requests().iter().map(|request| format!("{} {}", request.method, request.uri.path())).collect();
    assert!(requests.iter().all(|&request| seen.iter().any(|seen| seen == request)), "{seen:?}");
}

/// The tool failed and said why.
#[track_caller]
fn refused(ran: &Ran, why: &str) {
    assert!(!ran.stdout.contains("answer-of-the-origin"), "{ran:?}");
    assert!(ran.stdout.contains(why), "{ran:?}");
}
