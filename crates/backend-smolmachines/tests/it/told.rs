//! What smolvm is told, and what becomes of each of its ways to fail. With a stand-in: these tests run everywhere.

use std::path::Path;
use std::time::Duration;

use backend_smolmachines::{Settings, SmolmachinesBackend};
use bottle::{Backend, BottleName, BottleSpec, CopyError, GuestPath, LaunchError, Launched, Limits, RootFs, Tool, Tree, User};
use testkit::smolvm::{StandIn, Workload};

/// A backend whose smolvm is a stand-in, which needs no virtualisation.
fn backend(stand_in: &StandIn) -> SmolmachinesBackend {
    SmolmachinesBackend::new(Settings {
        program: StandIn::program(),
        environment: stand_in.environment(),
        device: "/dev/null".into(),
        folder: stand_in.folder().join("kept"),
        sites: stand_in.folder().join("sites"),
        image: Some("/images/agent".into()),
    })
}

fn spec() -> BottleSpec {
    BottleSpec {
        name: BottleName::parse("fixer-12345").unwrap(),
        root: RootFs::Default,
        tools: Vec::new(),
        limits: Limits::default(),
    }
}

async fn launch(stand_in: &StandIn, spec: &BottleSpec) -> Result<Launched, LaunchError> {
    backend(stand_in).launch(spec).await
}

fn reason(failed: Result<Launched, LaunchError>) -> String {
    failed.err().expect("it fails").to_string()
}

/// The values of an option in a call.
fn values<'a>(call: &'a [String], option: &str) -> Vec<&'a str> {
    let workload = call.iter().position(|word| word == "--").unwrap_or(call.len());
    let pairs = call[..workload].windows(2).filter(|pair| pair[0] == option);
    pairs.map(|pair| pair[1].as_str()).collect()
}

/// Nothing that a failed launch has made is left.
fn nothing_is_left(stand_in: &StandIn) {
    assert_eq!(stand_in.machines(), Vec::<String>::new());
    let sites = std::fs::read_dir(stand_in.folder().join("sites")).unwrap();
    assert_eq!(sites.count(), 0);
}

#[tokio::test]
async fn a_machine_is_made_without_a_network_and_without_a_secret() {
    let stand_in = StandIn::new(Workload::Serves);
    let tools = tempfile::tempdir().unwrap();
    let limits =
        Limits { memory: Some((512 << 20) + 1), cpus: Some(1.5), pids: Some(64), disk: Some(16 << 20), ..Limits::default() };
    let spec = BottleSpec { tools: vec![Tool::look(tools.path()).unwrap()], limits, ..spec() };
    let launched = launch(&stand_in, &spec).await.unwrap();

    let call = stand_in.calls_of("machine create").pop().unwrap();
    assert_eq!(values(&call, "--name"), ["bot-bottle-fixer-12345"]);
    assert_eq!(values(&call, "--image"), ["/images/agent"]);
    assert_eq!((values(&call, "--cpus"), values(&call, "--mem")), (vec!["2"], vec!["513"]));
    assert_eq!(values(&call, "--storage"), ["2"]);
    assert_eq!(values(&call, "--user"), ["0:0"]);
    assert_eq!(values(&call, "--error-format"), ["json"]);
    let labels = values(&call, "--label");
    assert_eq!(labels[0], "bot-bottle.bottle=fixer-12345");
    let lock = labels[1].strip_prefix("bot-bottle.lock=").unwrap();
    assert!(Path::new(lock).is_file() && lock.starts_with(stand_in.folder().to_str().unwrap()), "{lock}");
    let sockets = values(&call, "--mount-socket");
    assert!(sockets[0].ends_with("/control.sock:/.bot-bottle/control.sock"), "{sockets:?}");
    assert!(sockets[1].ends_with("/outlet.sock:/.bot-bottle/outlet.sock"), "{sockets:?}");
    let folders = values(&call, "--volume");
    let tool = tools.path().canonicalize().unwrap().display().to_string();
    assert!(folders[0].ends_with("/programs:/.bot-bottle/programs:ro"), "{folders:?}");
    assert_eq!(folders[1], format!("{tool}:{tool}:ro"));
    for forbidden in ["--net", "-e", "--env", "--port", "-p", "--ssh-agent", "--secret-env", "--expose-socket", "--nested"] {
        assert!(!call.iter().any(|word| word == forbidden), "{forbidden} in {call:?}");
    }
    let workload: Vec<_> = call.iter().skip_while(|word| *word != "--").skip(1).map(String::as_str).collect();
    assert!(workload[0].starts_with("/.bot-bottle/programs/helper-"), "{workload:?}");
    let text = workload.join(" ");
    let told = "--machine /.bot-bottle/control.sock --host-name fixer-12345 --processes 64 --quota 150000 --disk 16777216 --keep";
    assert!(text.contains(told) && text.ends_with("transparent /.bot-bottle/outlet.sock"), "{text}");

    launched.bottle.close().await.unwrap();
    nothing_is_left(&stand_in);
    let commands: Vec<_> = stand_in.calls().iter().map(|call| call[..call.len().min(2)].join(" ")).collect();
    let made = ["machine create", "machine start", "machine status", "machine delete"];
    assert_eq!(commands, ["--version", "machine create", "machine ls"].into_iter().chain(made).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_first_process_that_is_killed_at_once_is_started_once_more() {
    let stand_in = StandIn::new(Workload::DiesOnce);
    let launched = launch(&stand_in, &spec()).await.unwrap();
    assert_eq!(stand_in.calls_of("machine start").len(), 2);
    launched.bottle.close().await.unwrap();

    let stand_in = StandIn::new(Workload::Dies);
    let reason = reason(launch(&stand_in, &spec()).await);
    assert!(reason.contains("starting its first process") && reason.contains("SMOLVM_ERROR"), "{reason}");
    assert_eq!(stand_in.calls_of("machine start").len(), 2);
    nothing_is_left(&stand_in);
}

#[tokio::test]
async fn what_the_helper_complains_is_told_and_steers_no_terminal() {
    let stand_in = StandIn::new(Workload::Complains);
    let reason = reason(launch(&stand_in, &spec()).await);
    assert!(reason.contains("setting it up from within: mounting /proc: Operation not permitted\\u{1b}[2J"), "{reason}");
    nothing_is_left(&stand_in);
}

#[tokio::test]
async fn smolvms_own_codes_are_told() {
    for command in ["machine create", "machine start", "machine status"] {
        let stand_in = StandIn::new(Workload::Serves);
        stand_in.fails(command, r#"{"error":{"code":"KVM_UNAVAILABLE","message":"no \u001b[31mKVM"}}"#);
        let reason = reason(launch(&stand_in, &spec()).await);
        assert!(reason.contains(&format!("`smolvm {command}`: no \\u{{1b}}[31mKVM (KVM_UNAVAILABLE)")), "{reason}");
        nothing_is_left(&stand_in);
    }
}

#[tokio::test]
async fn an_error_that_is_no_json_is_told_by_its_last_line() {
    let stand_in = StandIn::new(Workload::Serves);
    stand_in.fails("machine create", "thread 'main' panicked\n{\"error\": half");
    let reason = reason(launch(&stand_in, &spec()).await);
    assert!(reason.contains("`smolvm machine create` ended with exit status: 1: {\"error\": half"), "{reason}");
}

#[tokio::test]
async fn a_start_that_hangs_is_ended_and_told() {
    let stand_in = StandIn::new(Workload::Serves);
    stand_in.hangs("machine start");
    let spec = spec();
    let mut launching = std::pin::pin!(launch(&stand_in, &spec));
    while stand_in.calls_of("machine start").is_empty() {
        let waited = tokio::time::timeout(Duration::from_millis(10), &mut launching).await;
        assert!(waited.is_err(), "it ended before it began to hang");
    }
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(301)).await;
    tokio::time::resume();
    let reason = reason(launching.await);
    assert!(reason.contains("`smolvm machine start` has not ended after 300s"), "{reason}");
    nothing_is_left(&stand_in);
}

#[tokio::test]
async fn a_machine_that_crashes_in_the_middle_of_a_copy_is_gone() {
    let stand_in = StandIn::new(Workload::Crashes);
    let launched = launch(&stand_in, &spec()).await.unwrap();
    let tree = Tree::file("x".repeat(4 << 20), 0o644);
    let place = GuestPath::parse("/home/node/file").unwrap();
    let error = launched.bottle.cp_in(&tree, &place, User::Node).await.unwrap_err();
    assert!(matches!(error, CopyError::Gone { .. } | CopyError::Io { .. }), "{error}");
    launched.bottle.close().await.unwrap();
    nothing_is_left(&stand_in);
}

#[tokio::test]
async fn a_machine_that_cannot_be_removed_is_a_leftover_afterwards() {
    let stand_in = StandIn::new(Workload::Serves);
    let launched = launch(&stand_in, &spec()).await.unwrap();
    assert_eq!(backend(&stand_in).leftovers().await.unwrap(), []);
    stand_in.fails("machine delete", r#"{"error":{"code":"BUSY","message":"busy"}}"#);
    let error = launched.bottle.close().await.unwrap_err();
    assert!(error.to_string().contains("busy (BUSY)"), "{error}");
    drop(launched);
    std::fs::remove_file(stand_in.folder().join("fails machine delete")).unwrap();
    let left = backend(&stand_in).leftovers().await.unwrap();
    let machine = left.iter().find(|left| left.what == "machine bot-bottle-fixer-12345").expect("the machine is listed");
    backend(&stand_in).remove(machine).await.unwrap();
    assert_eq!(stand_in.machines(), Vec::<String>::new());
}

#[tokio::test]
async fn a_program_that_is_missing_or_too_old_is_told_with_what_to_do() {
    let stand_in = StandIn::new(Workload::Serves);
    let nowhere = SmolmachinesBackend::new(Settings {
        program: "/nowhere/smolvm".into(),
        environment: Vec::new(),
        device: "/dev/null".into(),
        folder: stand_in.folder().join("kept"),
        sites: stand_in.folder().join("sites"),
        image: None,
    });
    let error = nowhere.check().await.unwrap_err();
    assert!(error.missing.contains("there is no program /nowhere/smolvm") && error.hints[0].contains("install"), "{error}");
    assert_eq!(nowhere.leftovers().await.unwrap(), []);

    stand_in.says_version("smolvm 1.31.0\n");
    let error = backend(&stand_in).check().await.unwrap_err();
    assert!(error.missing.contains("smolvm is 1.31.0, and 1.32 is the oldest"), "{error}");
}

#[tokio::test]
async fn data_that_smolvm_cannot_read_is_told() {
    let stand_in = StandIn::new(Workload::Serves);
    std::fs::create_dir(stand_in.folder().join("kept")).unwrap();
    stand_in.fails("machine ls", r#"{"error":{"code":"IO_ERROR","message":"open database: Permission denied (os error 13)"}}"#);
    let error = backend(&stand_in).leftovers().await.unwrap_err();
    assert!(error.missing.contains("Permission denied (os error 13) (IO_ERROR)"), "{error}");
}

#[tokio::test]
async fn an_image_that_no_engine_has_is_told_and_nothing_is_kept() {
    let stand_in = StandIn::new(Workload::Serves);
    let spec = BottleSpec { root: RootFs::Image("nothing-of-that-name".to_owned()), ..spec() };
    let failed = tokio::time::timeout(Duration::from_secs(60), launch(&stand_in, &spec)).await.unwrap();
    let reason = reason(failed);
    assert!(reason.contains("no engine on this machine has an image \"nothing-of-that-name\""), "{reason}");
    assert!(stand_in.calls_of("machine create").iter().all(|call| call[2] == "--help"));
    assert!(!stand_in.folder().join("kept").join("images").exists());
}

#[tokio::test]
async fn an_image_of_an_engines_is_saved_once_and_never_by_half() {
    let stand_in = StandIn::new(Workload::Serves);
    let engine = stand_in.folder().join("docker");
    let says = |save: &str| {
        let script = format!(
            "#!/bin/sh\ncase $1 in image) echo sha256:{} ;; save) echo half; echo saved >>'{}/saves'; {save} ;; esac\n",
            "5".repeat(64),
            stand_in.folder().display()
        );
        std::fs::write(&engine, script).unwrap();
        std::fs::set_permissions(&engine, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    };
    let with_engine = || {
        let mut environment = stand_in.environment();
        environment.push(("PATH".into(), stand_in.folder().into()));
        SmolmachinesBackend::new(Settings {
            program: StandIn::program(),
            environment,
            device: "/dev/null".into(),
            folder: stand_in.folder().join("kept"),
            sites: stand_in.folder().join("sites"),
            image: None,
        })
    };
    let spec = BottleSpec { root: RootFs::Image("agent".to_owned()), ..spec() };
    let kept = stand_in.folder().join("kept").join("images");

    says("echo no space left >&2; exit 1");
    let failed = reason(with_engine().launch(&spec).await);
    assert!(failed.contains("`docker save agent`: exit status: 1: no space left"), "{failed}");
    assert_eq!(std::fs::read_dir(&kept).unwrap().count(), 0);

    says("echo whole");
    for _ in 0..2 {
        with_engine().launch(&spec).await.unwrap().bottle.close().await.unwrap();
    }
    let archive = kept.join(format!("{}.tar", "5".repeat(64)));
    assert_eq!(std::fs::read_to_string(&archive).unwrap(), "half\nwhole\n");
    assert_eq!(std::fs::read_to_string(stand_in.folder().join("saves")).unwrap(), "saved\nsaved\n");
    let image = stand_in.calls_of("machine create").pop().unwrap();
    assert_eq!(values(&image, "--image"), [archive.to_str().unwrap()]);
    assert_eq!(with_engine().leftovers().await.unwrap(), []);

    let long_ago = std::time::SystemTime::now() - Duration::from_secs(8 * 24 * 3600);
    std::fs::File::options().append(true).open(&archive).unwrap().set_modified(long_ago).unwrap();
    let left = with_engine().leftovers().await.unwrap();
    with_engine().remove(&left[0]).await.unwrap();
    assert!(!archive.exists());
}
