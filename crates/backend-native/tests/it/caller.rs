//! What a bottle would have from whoever starts it, or from the host, were it not for the helper.

use std::path::Path;
use std::process::Command;

use bottle::{Backend, BottleName, BottleSpec, Exec, Launched, Limits, Output, RootFs, Tool};
use rustix::fs::Mode;
use rustix::process::umask;

use crate::backend::backend;

const PART: &str = "BOT_BOTTLE_TEST_DOMAIN";

async fn launch(name: &str, tools: Vec<Tool>) -> Launched {
    let spec = BottleSpec { name: BottleName::parse(name).unwrap(), root: RootFs::Default, tools, limits: Limits::default() };
    backend().launch(&spec).await.unwrap()
}

async fn python(launched: &Launched, script: &str) -> Output {
    launched.bottle.exec(Exec::new("python3").args(["-I", "-c", script])).await.unwrap()
}

#[tokio::test]
async fn a_callers_umask_closes_nothing() {
    if let Err(unavailable) = backend().check().await {
        return testkit::require("userns", &unavailable.to_string());
    }
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    let root = folder.path().canonicalize().unwrap();
    let tool = root.join("deep/tool");
    std::fs::create_dir_all(&tool).unwrap();
    std::fs::write(tool.join("file"), "seen").unwrap();
    let tools = vec![Tool::look(&tool).unwrap()];
    let before = umask(Mode::from_raw_mode(0o077));
    let launched = launch("umask", tools).await;
    umask(before);
    let script = format!(
        "cd ~ && ls / /etc/ssl /usr /dev >/dev/null && touch /tmp/x /var/tmp/x /dev/shm/x && cat {}/file",
        tool.display()
    );
    let output = launched.bottle.exec(Exec::new("sh").args(["-c", &script])).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "seen", "{output:?}");
    launched.bottle.close().await.unwrap();
}

#[tokio::test]
async fn a_bottle_has_its_share_of_the_hosts_terminals() {
    if let Err(unavailable) = backend().check().await {
        return testkit::require("userns", &unavailable.to_string());
    }
    let launched = launch("terminals", Vec::new()).await;
    let script = "import os, errno\ncount = 0\ntry:\n  while True: os.openpty(); count += 1\nexcept OSError as error: \
                  print(count, errno.errorcode[error.errno])";
    let output = python(&launched, script).await;
    assert_eq!(String::from_utf8_lossy(&output.stdout), "256 ENOSPC\n", "{output:?}");
    launched.bottle.close().await.unwrap();
}

#[test]
#[allow(clippy::disallowed_methods, reason = "the test runs itself")]
fn the_hosts_domain_name_is_not_told() {
    if !rustix::process::getuid().is_root() {
        return testkit::require("root", "only root can give a namespace another domain name");
    }
    let mut command = Command::new("unshare");
    command.args(["--uts", "--"]).arg(std::env::current_exe().unwrap());
    command.args(["caller::a_part", "--exact", "--ignored", "--nocapture"]).env(PART, "1");
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    if said.contains("no bottles here") {
        return testkit::require("userns", "no bottles here");
    }
    assert!(output.status.success() && said.contains("the part was played"), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
#[ignore = "a part of the test beside it, which starts it"]
#[allow(clippy::disallowed_methods, reason = "the test tells its part by a variable")]
async fn a_part() {
    if std::env::var(PART).is_err() {
        return;
    }
    rustix::system::setdomainname(b"corp.example").unwrap();
    assert_eq!(std::fs::read_to_string(Path::new("/proc/sys/kernel/domainname")).unwrap(), "corp.example\n");
    if backend().check().await.is_err() {
        return println!("no bottles here");
    }
    let launched = launch("domain", Vec::new()).await;
    let output = launched.bottle.exec(Exec::new("cat").arg("/proc/sys/kernel/domainname")).await.unwrap();
    assert_eq!(output.stdout, b"(none)\n", "{output:?}");
    launched.bottle.close().await.unwrap();
    println!("\nthe part was played");
}
