//! A person at a terminal: a pseudo-terminal (`pty(7)`) and a screen (vt100).

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Termios, Winsize, tcgetattr, tcsetwinsize};

use crate::scene::{PROGRAM, Scene};

pub struct Terminal {
    master: File,
    slave: Option<OwnedFd>,
    child: Child,
    screen: vt100::Parser<Questions>,
    bytes: Vec<u8>,
    before: Termios,
}

/// What was left of a terminal at the end of its program.
pub struct Ended {
    pub code: Option<i32>,
    pub screen: vt100::Screen,
    /// Every byte that was written to it.
    pub bytes: Vec<u8>,
}

/// Answers to what programs ask a terminal.
#[derive(Default)]
struct Questions {
    answers: Vec<u8>,
}

impl vt100::Callbacks for Questions {
    fn unhandled_csi(&mut self, screen: &mut vt100::Screen, i1: Option<u8>, _: Option<u8>, params: &[&[u16]], last: char) {
        match (i1, params, last) {
            // DSR 6: where the cursor is. Codex does not start without an answer.
            (None, [[6]], 'n') => {
                let (row, column) = screen.cursor_position();
                self.answers.extend(format!("\x1b[{};{}R", row + 1, column + 1).bytes());
            }
            // DA1: a VT102.
            (None, _, 'c') => self.answers.extend(b"\x1b[?6c"),
            _ => {}
        }
    }
}

impl Terminal {
    /// Runs the program with a terminal of 24 lines of 80 as its controlling one.
    pub fn run(scene: &Scene, args: &[&str]) -> Self {
        Self::run_other(scene, PROGRAM.as_str(), args)
    }

    /// The program on a terminal that is not its controlling one: nobody sends it a signal when it hangs up.
    pub fn run_without_control(scene: &Scene, args: &[&str]) -> Self {
        Self::open(scene, &["--wait", PROGRAM.as_str()], args)
    }

    /// Another program on such a terminal: a shell that runs ours.
    pub fn run_other(scene: &Scene, program: &str, args: &[&str]) -> Self {
        // setsid makes the terminal the controlling one of the program.
        Self::open(scene, &["--ctty", "--wait", program], args)
    }

    fn open(scene: &Scene, setsid: &[&str], args: &[&str]) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let slave =
            rustix::fs::open(name, rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::CLOEXEC, 0.into())
                .unwrap();
        tcsetwinsize(&master, Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let before = tcgetattr(&slave).unwrap();
        let end = || Stdio::from(slave.try_clone().unwrap());
        let mut command = Command::new("setsid");
        command.args(setsid).args(args);
        scene.set_up(&mut command);
        let child = command.env("TERM", "xterm-256color").stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
        Self {
            master: File::from(master),
            slave: Some(slave),
            child,
            screen: vt100::Parser::new_with_callbacks(24.try_into().unwrap(), 80.try_into().unwrap(), 1000, Questions::default()),
            bytes: Vec::new(),
            before,
        }
    }

    pub fn press(&mut self, keys: &str) {
        self.master.write_all(keys.as_bytes()).unwrap();
    }

    /// Types ahead until no more is taken.
    pub fn press_until_full(&mut self, keys: &str) {
        rustix::io::ioctl_fionbio(&self.master, true).unwrap();
        // What the program reads in between makes room: full is what stays full while it cannot write.
        let mut refused = 0;
        while refused < 1000 {
            match self.master.write_all(keys.as_bytes()) {
                Ok(()) => refused = 0,
                Err(error) => {
                    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
                    refused += 1;
                    std::thread::yield_now();
                }
            }
        }
        rustix::io::ioctl_fionbio(&self.master, false).unwrap();
    }

    /// The program's process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        // setsid became the program: a child of ours is no leader of a process group.
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), signal).unwrap();
    }

    /// Whether the program has begun to catch SIGINT (`SigCgt` of `proc_pid_status(5)`).
    fn hears_interrupts(&self) -> bool {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        u64::from_str_radix(caught.trim(), 16).unwrap() & (1 << (rustix::process::Signal::INT.as_raw() - 1)) != 0
    }

    pub fn resize(&self, rows: u16, columns: u16) {
        tcsetwinsize(&self.master, Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    }

    /// Reads until the screen shows `text`. The test's own time-out is the bound.
    pub fn until(&mut self, text: &str) {
        let begin = std::time::Instant::now();
        while !self.contents().contains(text) {
            let goes_on = self.read_a_while() && begin.elapsed().as_secs() < 60;
            assert!(goes_on, "the screen never showed {text:?}:\n{}", self.contents());
        }
    }

    /// Whether it takes nothing more, because nobody reads it.
    pub fn is_full(&self) -> bool {
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut [PollFd::new(self.slave.as_ref().unwrap(), PollFlags::OUT)], Some(&now)).unwrap() == 0
    }

    /// Reads what comes until `done`, which is asked again and again. The bound only shows where a broken test hangs.
    pub fn reads_until(&mut self, what: &str, mut done: impl FnMut() -> bool) {
        let begin = std::time::Instant::now();
        while !done() {
            self.read_a_while();
            assert!(begin.elapsed().as_secs() < 300, "waited in vain: {what}\n{}", self.contents());
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("{status} before this: {what}\n{}", self.contents());
            }
        }
    }

    /// Reads what comes within a moment; whether more may come.
    fn read_a_while(&mut self) -> bool {
        let pause = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
        poll(&mut [PollFd::new(&self.master, PollFlags::IN)], Some(&pause)).unwrap() == 0 || self.read()
    }

    /// Whether there was something.
    fn read(&mut self) -> bool {
        let mut buffer = [0; 4096];
        let count = self.master.read(&mut buffer).unwrap_or(0);
        self.bytes.extend_from_slice(&buffer[..count]);
        self.screen.process(&buffer[..count]);
        let answers = std::mem::take(&mut self.screen.callbacks_mut().answers);
        if !answers.is_empty() {
            self.master.write_all(&answers).unwrap();
        }
        count > 0
    }

    pub fn contents(&self) -> String {
        self.screen.screen().contents()
    }

    /// Waits for the end of a program that could not put the terminal back.
    pub fn end_of_killed(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    /// Closes the terminal's window, so that the kernel hangs it up, and waits for the end.
    pub fn end_of_hung_up(self) -> Option<i32> {
        let Self { master, slave, mut child, .. } = self;
        drop((slave, master));
        child.wait().unwrap().code()
    }

    /// Waits for the end: the status, all that the screen shows. The terminal must be as it was.
    pub fn end(self) -> (Option<i32>, String) {
        let (code, screen) = self.end_with_screen();
        (code, screen.contents())
    }

    /// [`Terminal::end`], with the screen itself.
    pub fn end_with_screen(self) -> (Option<i32>, vt100::Screen) {
        let Ended { code, screen, .. } = self.end_with_all();
        (code, screen)
    }

    /// [`Terminal::end`], with everything.
    pub fn end_with_all(mut self) -> Ended {
        let status = loop {
            self.read_a_while();
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
        };
        let slave = self.slave.take().unwrap();
        let after = tcgetattr(&slave).unwrap();
        assert_eq!(
            (after.local_modes, after.input_modes, after.output_modes),
            (self.before.local_modes, self.before.input_modes, self.before.output_modes)
        );
        // The last one that has the other end open: what is left is read to its end.
        drop(slave);
        while self.read() {}
        Ended { code: status.code(), screen: self.screen.screen().clone(), bytes: self.bytes }
    }
}

/// A program that takes the whole screen, the mouse and the cursor, and never stops drawing.
const TUI: &str = r#"stty raw -echo; printf 'shell line\r\n\033[?1049h\033[?1000h\033[?1006h\033[?2004h\033[?25l\033[?1hready'"#;

fn assert_calm(screen: &vt100::Screen) {
    assert!(!screen.alternate_screen() && !screen.hide_cursor(), "{}", screen.contents());
    assert!(!screen.bracketed_paste() && !screen.application_cursor(), "{}", screen.contents());
    assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
    // The first screen is as it was left, with what was said afterwards below it.
    let text = screen.contents();
    assert!(text.contains("shell line\nsession t ended"), "{text}");
}

#[test]
fn the_screen_is_calm_when_a_drawing_agent_is_stopped() {
    let scene = Scene::new();
    let script = format!("{TUI}; while :; do printf '\\033[2;2Hdrawing\\033[?25l\\033[?2004h'; done");
    let mut terminal = Terminal::run(&scene, &["start", "a", "--yes", "--label", "t", "--", "sh", "-c", &script]);
    terminal.until("drawing");
    // Goes on reading, as a terminal does, while it is stopped.
    let stopping = scene.command(&["stop", "t"]).stderr(Stdio::null()).spawn().unwrap();
    terminal.until("session t ended");
    assert!(stopping.wait_with_output().unwrap().status.success());
    let (code, screen) = terminal.end_with_screen();
    assert_eq!(code, Some(143));
    assert_calm(&screen);
}

#[test]
fn the_screen_is_calm_when_the_agent_is_killed() {
    let scene = Scene::new();
    let script = format!("{TUI}; kill -9 $$");
    let terminal = Terminal::run(&scene, &["start", "a", "--yes", "--label", "t", "--", "sh", "-c", &script]);
    let (code, screen) = terminal.end_with_screen();
    assert_eq!(code, Some(137));
    assert_calm(&screen);
}

#[test]
fn an_agent_that_ends_by_itself_leaves_the_screen_as_it_wants() {
    let scene = Scene::new();
    let script = "printf '\\033[?2004hbye'; exit 3";
    let (code, screen) = Terminal::run(&scene, &["start", "a", "--yes", "--", "sh", "-c", script]).end_with_screen();
    assert_eq!(code, Some(3));
    assert!(screen.bracketed_paste() && screen.contents().contains("bye"), "{}", screen.contents());
}

#[test]
fn ctrl_c_ends_an_exec_whose_session_does_not_answer() {
    let scene = Scene::new();
    let live = scene.live("echo ready; sleep 1000");
    live.signal(rustix::process::Signal::STOP);
    let mut terminal = Terminal::run(&scene, &["exec", "s", "--", "true"]);
    crate::scene::wait_until("it hears signals", || terminal.hears_interrupts());
    terminal.press("\x03");
    assert_eq!(terminal.end().0, Some(130));
    live.signal(rustix::process::Signal::CONT);
}

#[test]
fn the_agent_gets_a_terminal_of_its_own_with_size_type_and_resize() {
    let scene = Scene::new();
    let script = "stty size; echo $TERM; trap 'stty size; exit 0' WINCH; echo ready; while :; do sleep 0.05; done";
    let mut terminal = Terminal::run(&scene, &["start", "a", "--yes", "--", "sh", "-c", script]);
    terminal.until("\nready");
    assert!(terminal.contents().contains("24 80\nxterm-256color\n"), "{}", terminal.contents());
    terminal.resize(30, 100);
    let (code, screen) = terminal.end();
    assert_eq!(code, Some(0));
    assert!(screen.contains("30 100"), "{screen}");
    scene.assert_nothing_left();
}

#[test]
fn ctrl_c_is_a_byte_for_the_agent() {
    let scene = Scene::new();
    let script = "trap 'echo caught; exit 5' INT; echo ready; while :; do sleep 0.05; done";
    let mut terminal = Terminal::run(&scene, &["start", "a", "--yes", "--", "sh", "-c", script]);
    terminal.until("\nready");
    terminal.press("\x03");
    let (code, screen) = terminal.end();
    assert_eq!(code, Some(5), "{screen}");
    assert!(screen.contains("^Ccaught"), "{screen}");
}

#[test]
fn a_raw_program_sees_every_byte() {
    let scene = Scene::new();
    let script = "stty raw -echo; echo ready; dd bs=1 count=3 2>/dev/null | od -An -tx1";
    let mut terminal = Terminal::run(&scene, &["start", "a", "--yes", "--", "sh", "-c", script]);
    terminal.until("\nready");
    terminal.press("\x03\x1a\x1c");
    let (_, screen) = terminal.end();
    assert!(screen.contains("03 1a 1c"), "{screen}");
}

#[test]
fn exec_on_a_terminal_has_one_too() {
    let scene = Scene::new();
    let live = scene.live("echo ready; sleep 1000");
    let mut terminal = Terminal::run(&scene, &["exec", "s", "--", "sh", "-c", "tty; stty size; read x; echo got $x; exit 4"]);
    terminal.until("24 80");
    terminal.press("hello\r");
    let (code, screen) = terminal.end();
    assert_eq!(code, Some(4), "{screen}");
    assert!(screen.contains("got hello") && screen.contains("/dev/pts/"), "{screen}");
    drop(live);
}

#[test]
fn a_session_whose_terminal_nobody_reads_is_stopped_all_the_same() {
    let scene = Scene::new();
    let script = "echo ready; while :; do echo flood; done";
    let mut terminal = Terminal::run(&scene, &["start", "a", "--yes", "--label", "t", "--", "sh", "-c", script]);
    terminal.until("\nflood");
    crate::scene::wait_until("the terminal is full", || terminal.is_full());
    let ran = scene.run(&["stop", "t"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, "stopped t\n"));
    assert_eq!(terminal.end_of_killed(), Some(143));
    scene.assert_nothing_left();
}

#[test]
fn a_terminal_that_hangs_up_without_a_signal_ends_the_session() {
    // Once while the agent reads its keys, once while it has long left more of them unread than its terminal holds.
    let script = "stty raw -echo; printf '\\r\\nready'; sleep 1000";
    for keys in ["", "x"] {
        let scene = Scene::new();
        let mut terminal =
            Terminal::run_without_control(&scene, &["start", "a", "--yes", "--label", "t", "--", "sh", "-c", script]);
        terminal.until("\nready");
        if !keys.is_empty() {
            terminal.press_until_full(keys);
        }
        assert_eq!(terminal.end_of_hung_up(), Some(129), "{keys:?}");
        scene.assert_nothing_left();
    }
}

#[test]
fn an_exec_whose_terminal_hangs_up_without_a_signal_ends() {
    let scene = Scene::new();
    let live = scene.live("echo ready; sleep 1000");
    let mut terminal = Terminal::run_without_control(&scene, &["exec", "s", "--", "sh", "-c", "echo begun; sleep 1000"]);
    terminal.until("begun");
    assert_eq!(terminal.end_of_hung_up(), Some(129));
    drop(live);
}

#[test]
fn the_session_that_is_stopped_gives_the_terminal_back() {
    let scene = Scene::new();
    let mut terminal = Terminal::run(
        &scene,
        &["start", "a", "--yes", "--label", "t", "--", "sh", "-c", "stty raw -echo; echo ready; sleep 1000"],
    );
    terminal.until("\nready");
    assert_eq!(scene.run(&["stop", "t"]).code, 0);
    let (code, screen) = terminal.end();
    assert_eq!(code, Some(143), "{screen}");
}
