//! Has the host copy out of `/proc`, where links jump to the files of whoever follows them: here, the helper.

use bottle::tree::{MemoryEntry, MemorySink, SinkLimits};
use bottle::{GuestPath, User};

use super::{Arena, CanaryFile};

const PLANT: &str = r#"
canary = sys.argv[1]
os.makedirs("/tmp/jump")
for number, target in enumerate(("/proc/1/root", "/proc/self/root", "/proc/1/cwd", "/proc/self/cwd", "/proc/thread-self/root")):
    os.symlink(target, f"/tmp/jump/{number}")
tried = 1
"#;

/// Nothing of the host's comes out, by magic links named outright or behind a link of the agent's.
pub async fn magic_links_out(arena: &Arena) {
    let canary = CanaryFile::plant(std::path::Path::new("/tmp")).expect("a canary in /tmp");
    let subject = arena.bottle().await;
    let path = canary.path().display().to_string();
    subject.attack_as(User::Node, PLANT, &[&path]).await;
    let mut places: Vec<String> = (0..5).map(|number| format!("/tmp/jump/{number}{path}")).collect();
    places.extend(["/proc/1/root", "/proc/self/root", "/proc/1/cwd", "/proc/self/cwd"].map(|jump| format!("{jump}{path}")));
    places.extend(
        ["/proc/1/exe", "/proc/self/exe", "/proc/1/environ", "/proc/1/mem", "/proc/kcore", "/proc/kmsg", "/dev/zero"]
            .map(String::from),
    );
    places.extend((0..16).map(|number| format!("/proc/self/fd/{number}")));
    places.extend(["/proc/1/fd", "/proc/1/map_files", "/proc/1/root/root/.ssh"].map(String::from));
    places.extend(arena.of_the_host(&["/etc/shadow"]).into_iter().map(String::from));
    for place in places {
        let from = GuestPath::parse(&place).expect("a legal path");
        let mut sink = MemorySink::with_limits(SinkLimits { entries: 1000, bytes: 1 << 20 });
        // Refused, or a link as a link, or nothing: but no content.
        let copied = subject.bottle.cp_out(&from, &mut sink).await;
        let content =
            sink.entries().values().find(|entry| matches!(entry, MemoryEntry::File { content, .. } if !content.is_empty()));
        assert_eq!(content, None, "{place}: {copied:?}");
    }
    canary.assert_untouched();
}
