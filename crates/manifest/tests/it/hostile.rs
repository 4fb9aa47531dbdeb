//! Files that want to harm: each gets a clear error, soon, and none leads anywhere.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use manifest::Style;
use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::scene::Scene;

fn with_agent(content: impl AsRef<[u8]>) -> Scene {
    Scene::new().bottle("b", "").file("work/.bot-bottle/agents/a.md", content)
}

fn told(content: impl AsRef<[u8]>) -> String {
    with_agent(content).problems("a")
}

fn front(yaml: &str) -> String {
    told(format!("---\n{yaml}\n---\nbody\n"))
}

#[test]
fn bytes_that_are_no_text() {
    insta::assert_snapshot!(told(b"---\nbottle: b\xff\n---\n"), @r"
    error: the file is not UTF-8 text
     --> /work/.bot-bottle/agents/a.md:2:10
      |
    2 | bottle: b�
      |          ^ this byte is no part of a UTF-8 character
      |
      = help: save the file as UTF-8; `iconv -f latin1 -t utf-8 FILE` converts one from Latin-1
    ");
    insta::assert_snapshot!(told("---\nbottle: b\0\n---\n"), @r"
    error: the file holds a NUL byte
     --> /work/.bot-bottle/agents/a.md:2:10
      |
    2 | bottle: b\u{0}
      |          ^^^^^
      |
      = help: remove it: a manifest is plain text
    ");
    insta::assert_snapshot!(told("\u{feff}---\nbottle: b\n---\n"), @r"
    error: the file begins with a byte order mark
     --> /work/.bot-bottle/agents/a.md:1:1
      |
    1 | \u{feff}---
      | ^^^^^^^^
      |
      = help: save it as UTF-8 without BOM; `sed -i '1s/^\xef\xbb\xbf//' FILE` removes it
    ");
    insta::assert_snapshot!(told("---\r\nbottle: b\r\n---\r\n"), @r"
    error: the file has Windows line ends (CR LF)
     --> /work/.bot-bottle/agents/a.md:1:4
      |
    1 | ---\r
      |    ^^ the first one
      |
      = help: `sed -i 's/\r$//' FILE` or `dos2unix FILE` converts it
    ");
    insta::assert_snapshot!(told("---\nbottle: b\n---\n\u{1b}]52;c;ZXZpbA==\u{7}\n"), @r"
    error: the file holds the control character \u{1b}
     --> /work/.bot-bottle/agents/a.md:4:1
      |
    4 | \u{1b}]52;c;ZXZpbA==\u{7}
      | ^^^^^^
      |
      = help: remove it: a manifest is plain text
    ");
}

#[test]
fn anchors_aliases_tags_and_merges() {
    insta::assert_snapshot!(front("skills: &a [x]\nname: *a\ncolor: *nowhere\n<<: {bottle: b}\nmodel: !!python/object x"), @r"
    error: YAML anchors are not allowed in manifests
     --> /work/.bot-bottle/agents/a.md:2:9
      |
    2 | skills: &a [x]
      |         ^^ anchor
      |
      = help: write the value out where it is needed

    error: YAML aliases are not allowed in manifests
     --> /work/.bot-bottle/agents/a.md:3:7
      |
    3 | name: *a
      |       ^^ alias
      |
      = help: write the value out

    error: YAML aliases are not allowed in manifests
     --> /work/.bot-bottle/agents/a.md:4:8
      |
    4 | color: *nowhere
      |        ^^^^^^^^ alias
      |
      = help: write the value out

    error: YAML merge keys are not allowed in manifests
     --> /work/.bot-bottle/agents/a.md:5:1
      |
    5 | <<: {bottle: b}
      | ^^
      |
      = help: a bottle takes over another with `extends`

    error: YAML tags are not allowed in manifests: `!!python/object`
     --> /work/.bot-bottle/agents/a.md:6:8
      |
    6 | model: !!python/object x
      |        ^^^^^^^^^^^^^^^
      |
      = help: remove the tag; quotes make a text of anything

    error: the agent `a` names no bottle, and none was chosen
    --> /work/.bot-bottle/agents/a.md
     = help: write `bottle: NAME` into /work/.bot-bottle/agents/a.md, or choose one with `--bottle NAME`
     = help: the bottles are `b`
    ");
}

#[test]
fn a_billion_laughs() {
    let mut yaml = "a0: &a0 [lol]\n".to_owned();
    for step in 1..30 {
        let references = vec![format!("*a{}", step - 1); 9].join(", ");
        yaml.push_str(&format!("a{step}: &a{step} [{references}]\n"));
    }
    assert!(front(&yaml).contains("YAML anchors are not allowed"));
}

#[test]
fn directives_and_second_documents() {
    assert!(front("%YAML 1.1").contains("not valid YAML"));
    assert!(front("bottle: b\n...\nskills: []").contains("second YAML document"));
    assert!(front("? [a]\n: b").contains("a key must be a single word"));
    assert!(front(": b").contains("a key is missing"));
}

#[test]
fn deep_nesting() {
    for yaml in [
        "[".repeat(100_000),
        "{a: ".repeat(50_000),
        (0..400).map(|n| format!("{}a:\n", " ".repeat(n))).collect(),
        format!("{}x", "- ".repeat(5000)),
    ] {
        let message = front(&format!("name: {}", if yaml.starts_with(['[', '{']) { yaml } else { format!("\n{yaml}") }));
        assert!(message.contains("nest") || message.contains("deep"), "{message}");
    }
}

/// The size alone is looked at: a sparse file of a terabyte costs what an empty one costs.
#[test]
fn a_file_that_is_too_long_is_not_read() {
    let scene = with_agent("");
    let file = fs::OpenOptions::new().write(true).open(scene.path("work/.bot-bottle/agents/a.md")).unwrap();
    file.set_len(1 << 40).unwrap();
    insta::assert_snapshot!(scene.problems("a"), @r"
    error: cannot use /work/.bot-bottle/agents/a.md: it is 1099511627776 bytes long, and at most 1048576 are read
    --> /work/.bot-bottle/agents/a.md
     = help: a manifest is a page of text; put data elsewhere
    ");
    let small = with_agent("x");
    assert!(ratio(|| scene.problems("a"), || small.problems("a")) < 50.0);
}

#[test]
fn the_largest_files_are_read_in_time() {
    let within = |text: &str| format!("---\nbottle: b\n---\n{}", text.repeat((1 << 20) / text.len() - 100));
    assert!(with_agent(within("lorem ipsum\n")).try_resolve("a", &[]).is_ok());
    // Each of these is as bad as its size allows; all must stay within a few times what reading a mere prompt costs per byte.
    let prompt = with_agent(within("lorem ipsum\n"));
    for hostile in [
        format!("---\n{}\n---\n", "a".repeat(200_000)),
        format!("---\nname: [{}]\n---\n", "a,".repeat(100_000)),
        format!("---\n{}---\n", (0..20_000).map(|n| format!("k{n}: 1\n")).collect::<String>()),
        format!("---\nname: \"{}\"\n---\n", "\\x41".repeat(50_000)),
        format!("---\n{}\n---\n", "- ".repeat(100_000)),
        format!("---\n{}\n---\n", "'".repeat(200_000)),
        format!("---\n# {}\n---\n", "c".repeat(200_000)),
        format!("---\n{}\n---\n", "? ".repeat(100_000)),
        format!("---\nskills: [{}]\n---\n", (0..15_000).map(|n| format!("s{n},")).collect::<String>()),
    ] {
        let scene = with_agent(&hostile);
        let ratio = ratio(
            || scene.try_resolve("a", &[]).map_or_else(|e| e.render(Style::Plain), |_| String::new()),
            || prompt.resolve("a").agent.prompt,
        );
        assert!(ratio < 30.0, "{ratio} for {:.40}", hostile);
    }
}

/// How many times longer `slow` takes than `fast`; the best of several runs of each.
fn ratio(slow: impl Fn() -> String, fast: impl Fn() -> String) -> f64 {
    let best = |run: &dyn Fn() -> String| {
        let times = (0..3).map(|_| {
            let start = Instant::now();
            std::hint::black_box(run());
            start.elapsed()
        });
        times.min().unwrap().max(Duration::from_micros(50))
    };
    best(&slow).as_secs_f64() / best(&fast).as_secs_f64()
}

#[test]
fn links_out_of_the_repository_are_refused() {
    let scene = Scene::new().bottle("b", "").file("secret.md", "---\nbottle: b\n---\ncanary\n");
    let absolute = scene.path("secret.md");
    let scene = scene
        .link("work/.bot-bottle/agents/absolute.md", &absolute)
        .link("work/.bot-bottle/agents/relative.md", "../../../secret.md")
        .link("work/.bot-bottle/agents/proc.md", "/proc/self/environ")
        .link("work/.bot-bottle/agents/magic.md", "/proc/self/root/etc/passwd")
        .link("work/.bot-bottle/agents/dangling.md", "nowhere.md")
        .link("work/.bot-bottle/agents/circle.md", "circle.md");
    for agent in ["absolute", "relative", "proc", "magic"] {
        let told = scene.problems(agent);
        assert!(told.contains("a link that leads out of the repository"), "{agent}: {told}");
        assert!(!told.contains("canary"));
    }
    for agent in ["dangling", "circle"] {
        assert!(scene.problems(agent).contains("cannot use /"), "{agent}");
    }
    insta::assert_snapshot!(scene.problems("relative"), @r"
    error: cannot use /work/.bot-bottle/agents/relative.md: it is a link that leads out of the repository
    --> /work/.bot-bottle/agents/relative.md
     = help: a repository's manifests must lie in the repository; replace the link by a copy
    ");
}

#[test]
fn links_within_the_repository_are_followed() {
    let scene = Scene::new()
        .bottle("b", "")
        .file("work/.claude/agents/a.md", "---\nbottle: b\ndescription: x\n---\nshared\n")
        .link("work/.bot-bottle/agents/a.md", "../../.claude/agents/a.md");
    assert_eq!(scene.resolve("a").agent.prompt, "shared");
}

#[test]
fn a_folder_that_is_a_link_out_of_the_repository_is_ignored() {
    let scene = Scene::new()
        .bottle("b", "")
        .file("outside/a.md", "---\nbottle: b\n---\ncanary\n")
        .link("work/.bot-bottle/agents", "../../outside");
    assert_eq!(scene.open().agents().count(), 0);
    insta::assert_debug_snapshot!(scene.notes(), @r#"
    [
        "ignored /work/.bot-bottle/agents: it is a link that leads out of the repository",
    ]
    "#);
    let scene = Scene::new()
        .bottle("b", "")
        .file("outside/agents/a.md", "---\nbottle: b\n---\ncanary\n")
        .link("work/.bot-bottle", "../outside");
    assert_eq!(scene.open().agents().count(), 0);
}

#[test]
fn in_home_links_are_followed() {
    let scene = Scene::new().bottle("b", "").file("dotfiles/a.md", "---\nbottle: b\n---\nmine\n");
    let target = scene.path("dotfiles/a.md");
    assert_eq!(scene.link("home/agents/a.md", target).resolve("a").agent.prompt, "mine");
}

#[test]
fn what_is_no_file_is_never_waited_for() {
    let scene = Scene::new().bottle("b", "").agent("x", "").repository_agent("x", "");
    for folder in ["home/agents", "work/.bot-bottle/agents"] {
        let folder = scene.path(folder);
        mknodat(CWD, folder.join("fifo.md"), FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        drop(std::os::unix::net::UnixListener::bind(folder.join("socket.md")).unwrap());
        fs::create_dir(folder.join("folder.md")).unwrap();
        for (name, what) in [("fifo", "it is a named pipe, not a file"), ("socket", "it is a socket, not a file")] {
            assert!(scene.problems(name).contains(what), "{}", scene.problems(name));
        }
        assert!(scene.problems("folder").contains("there is no agent `folder`"));
        for name in ["fifo.md", "socket.md"] {
            fs::remove_file(folder.join(name)).unwrap();
        }
    }
    let scene = scene.link("home/agents/device.md", "/dev/zero");
    assert!(scene.problems("device").contains("it is a device, not a file"));
}

#[test]
fn a_file_without_a_size_is_read_within_bounds() {
    let scene = Scene::new().bottle("b", "").link("home/agents/proc.md", "/proc/self/status");
    assert!(scene.problems("proc").contains("no front matter"));
}

#[test]
fn names_that_are_paths() {
    let scene =
        Scene::new().bottle("b", "").agent("a", "bottle: ../../etc/passwd").bottle("c", "extends: [../b, /etc, 'b\u{0}']");
    assert!(scene.problems("a").contains("cannot be the name of an agent or a bottle"));
    for name in ["../a", "a/../a", "/etc/passwd", "a.md", "", "a\0", "A"] {
        assert!(scene.problems(name).contains("there is no agent"), "{name:?}");
    }
    assert!(scene.problems_in("a", &["../b"]).contains("there is no bottle `../b`"));
}

#[test]
fn nothing_that_is_shown_steers_the_terminal() {
    let scene = Scene::new().bottle("b", "").agent("a", "\"evil\\e]0;title\\a\": 1\nbottle: \"\\u202ex\"\nskills: [\"\\x9b2J\"]");
    let error = scene.try_resolve("a\u{1b}[2J", &["\u{7}"]).unwrap_err();
    let shown = format!("{} {error} {}", error.render(Style::Plain), scene.problems("a"));
    assert!(shown.chars().all(|c| c == '\n' || !policy::Shown::is_unsafe(c)), "{shown:?}");
    assert!(shown.contains(r"\u{1b}[2J"));
}

#[test]
fn a_folder_of_many_files_is_bounded() {
    let scene = Scene::new().bottle("b", "").repository_agent("a", "bottle: b");
    for n in 0..10_001 {
        fs::File::create(Path::new(&scene.path("work/.bot-bottle/agents")).join(format!("n{n}.md"))).unwrap();
    }
    assert!(scene.open().agents().count() <= 10_000);
    assert!(scene.notes()[0].contains("holds more than 10000 files"), "{:?}", scene.notes());
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 300, failure_persistence: None, ..Default::default() })]
    /// No text makes the reader panic, and every problem can be drawn.
    #[test]
    fn any_text_is_read_or_told(yaml in "([a-z]{1,3}[:?]? |[-\\[\\]{}&*!|>'\"%#,?:]|\\n {0,6}|\\t|\\PC){0,60}") {
        for file in ["home/bottles/b.md", "home/agents/a.md"] {
            let scene = Scene::new().bottle("b", "").agent("a", "bottle: b").file(file, format!("---\n{yaml}\n---\n"));
            if let Err(error) = scene.try_resolve("a", &[]) {
                proptest::prop_assert!(!error.diagnostics().is_empty());
                error.render(Style::Coloured);
            }
        }
    }
}
