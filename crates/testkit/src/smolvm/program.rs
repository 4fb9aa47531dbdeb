//! The stand-in as a program. Its machines are processes that connect to the sockets that a real machine would be shown.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use super::FOLDER;

/// What a helper says when it serves (`helper::HELLO`).
const HELLO: &[u8] = b"bot-bottle-helper 1\n";

/// Runs it.
#[allow(clippy::disallowed_methods, reason = "the stand-in finds its folder by its environment")]
pub fn main() -> ExitCode {
    let folder = PathBuf::from(std::env::var_os(FOLDER).expect("the stand-in's folder"));
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [machine, control, outlet, workload] = arguments.as_slice()
        && machine == "the-machine"
    {
        return run_machine(Path::new(control), Path::new(outlet), workload);
    }
    let call: String = arguments.iter().map(|argument| format!("{argument}\x1f")).collect();
    let mut calls = File::options().create(true).append(true).open(folder.join("calls")).unwrap();
    calls.write_all(format!("{call}\x1e").as_bytes()).unwrap();
    let command: Vec<_> = arguments.iter().take(2).map(String::as_str).collect();
    let command = if arguments.iter().any(|word| word == "--help") { "help".to_owned() } else { command.join(" ") };
    if folder.join(format!("hangs {command}")).exists() {
        loop {
            std::thread::park();
        }
    }
    if let Ok(words) = fs::read_to_string(folder.join(format!("fails {command}"))) {
        eprintln!("warning: this comes before the error");
        eprintln!("{words}");
        return ExitCode::FAILURE;
    }
    answer(&folder, &command, &arguments)
}

#[allow(clippy::disallowed_methods, clippy::print_stdout, reason = "a program for tests")]
fn answer(folder: &Path, command: &str, arguments: &[String]) -> ExitCode {
    let value = |option: &str| arguments.iter().skip_while(|word| *word != option).nth(1).cloned().unwrap_or_default();
    let machines = folder.join("machines");
    let machine = machines.join(value("--name"));
    match command {
        "--version" => print!("{}", fs::read_to_string(folder.join("version")).unwrap()),
        "help" => {
            println!(
                "--name --image --label --mount-socket --volume --user --stop-on-exit --cpus --mem --storage --error-format"
            );
        }
        "machine create" => {
            fs::create_dir_all(&machine).unwrap();
            fs::write(machine.join("arguments"), arguments.join("\n")).unwrap();
        }
        "machine start" => return start(folder, &machine),
        "machine status" => println!("{}", described(&machine)),
        "machine data-dir" => println!("{}", machine.display()),
        "machine ls" => {
            let all = fs::read_dir(&machines).into_iter().flatten().flatten().map(|entry| described(&entry.path()));
            println!("[{}]", all.collect::<Vec<_>>().join(","));
        }
        "machine delete" if !machine.exists() => {
            eprintln!(r#"{{"error":{{"code":"NOT_FOUND","message":"vm not found: {}"}}}}"#, value("--name"));
            return ExitCode::FAILURE;
        }
        "machine delete" => {
            end(&machine);
            fs::remove_dir_all(&machine).unwrap();
        }
        _other => {
            eprintln!("error: unrecognized subcommand '{command}'");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

#[allow(clippy::disallowed_methods, clippy::zombie_processes, reason = "a machine outlives the call that starts it")]
fn start(folder: &Path, machine: &Path) -> ExitCode {
    let arguments = fs::read_to_string(machine.join("arguments")).unwrap();
    let socket = |name: &str| {
        let shown = arguments.lines().find_map(|word| word.strip_suffix(&format!(":/.bot-bottle/{name}.sock")));
        shown.expect("a socket").to_owned()
    };
    let mut workload = fs::read_to_string(folder.join("workload")).unwrap();
    if workload == "DiesOnce" {
        workload = if machine.join("started").exists() { "Serves" } else { "Dies" }.to_owned();
    }
    fs::write(machine.join("started"), "").unwrap();
    if workload == "Dies" {
        let message = "boot process exited (code 0) before the agent was ready";
        eprintln!(r#"{{"error":{{"code":"SMOLVM_ERROR","message":"{message}"}}}}"#);
        return ExitCode::FAILURE;
    }
    let mut process = Command::new(std::env::current_exe().unwrap());
    process.args(["the-machine", &socket("control"), &socket("outlet"), &workload]);
    let process = process.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    fs::write(machine.join("pid"), process.id().to_string()).unwrap();
    ExitCode::SUCCESS
}

/// As the list of the real one has it.
fn described(machine: &Path) -> String {
    let arguments = fs::read_to_string(machine.join("arguments")).unwrap_or_default();
    let words: Vec<&str> = arguments.lines().collect();
    let labels = words.windows(2).filter(|pair| pair[0] == "--label").filter_map(|pair| pair[1].split_once('='));
    let labels: serde_json::Map<_, _> = labels.map(|(name, value)| (name.to_owned(), value.into())).collect();
    let pid = fs::read_to_string(machine.join("pid")).ok().and_then(|pid| pid.parse::<i32>().ok());
    let name = machine.file_name().unwrap_or_default().to_string_lossy();
    serde_json::json!({ "name": name, "labels": labels, "pid": pid, "state": "running" }).to_string()
}

/// Kills a machine's process.
pub fn end(machine: &Path) {
    let pid = fs::read_to_string(machine.join("pid")).ok().and_then(|pid| pid.parse().ok());
    if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
        // It may have ended by itself.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    }
}

fn run_machine(control: &Path, outlet: &Path, workload: &str) -> ExitCode {
    let mut session = UnixStream::connect(control).expect("the session listens");
    let _relay = UnixStream::connect(outlet).expect("the session listens");
    match workload {
        "Complains" => session.write_all(b"mounting /proc: Operation not permitted\x1b[2J\n").unwrap(),
        "Crashes" => {
            session.write_all(HELLO).unwrap();
            let _ = session.read(&mut [0; 64]);
        }
        "Serves" => {
            session.write_all(HELLO).unwrap();
            let _ = session.read_to_end(&mut Vec::new());
        }
        _silent => drop(session.read_to_end(&mut Vec::new())),
    }
    ExitCode::SUCCESS
}
