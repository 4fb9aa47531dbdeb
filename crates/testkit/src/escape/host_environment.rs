//! Looks for the session's environment, folder and command line in every process that it can see.

use std::fs;

use super::Arena;

/// Nothing of the session's own environment is in any process of the bottle.
pub async fn host_environment(arena: &Arena) {
    let own = fs::read("/proc/self/environ").expect("this test's environment");
    let names = own.split(|byte| *byte == 0).filter_map(|entry| entry.split(|byte| *byte == b'=').next());
    let names: Vec<_> = names.filter(|name| !name.is_empty()).map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    let ours = ["HOME", "USER", "LOGNAME", "SHELL", "PATH", "LANG"];
    let proxies = |name: &str| name.to_ascii_lowercase().ends_with("_proxy");
    let foreign: Vec<&str> = names.iter().map(String::as_str).filter(|name| !ours.contains(name) && !proxies(name)).collect();
    let script = r#"
for name in sys.argv[1:]:
    held(f"no variable {name} of the session's", name not in os.environ)
for name in ("SSH_AUTH_SOCK", "GPG_AGENT_INFO", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "DISPLAY", "WAYLAND_DISPLAY",
             "DOCKER_HOST", "KUBECONFIG", "LD_PRELOAD", "LD_LIBRARY_PATH"):
    held(f"no variable {name}", name not in os.environ)
for process in others():
    words = open(f"/proc/{process}/cmdline", "rb").read().split(b"\0")
    ours = words[0].startswith(b"/run/bot-bottle/") and all(word.startswith(b"/run/bot-bottle/") or b"/" not in word for word in words)
    held(f"the command line of {process} tells nothing: {words}", ours or len([word for word in words if word]) <= 2)
"#;
    arena.bottle().await.attack(script, &foreign).await;
}
