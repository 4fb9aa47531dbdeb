//! Runs a command in a fresh native bottle.
use backend_native::{HelperProgram, NativeBackend};
use bottle::*;
#[tokio::main(flavor = "current_thread")]
async fn main() {
    let helper = std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().join("bot-bottle-helper");
    let backend = NativeBackend::new(HelperProgram::At(helper));
    let t = std::time::Instant::now();
    println!("{:?}", backend.check().await);
    let spec = BottleSpec { name: BottleName::parse("try-1").unwrap(), root: RootFs::Default, tools: vec![], limits: Limits::default() };
    let launched = match backend.launch(&spec).await { Ok(l) => l, Err(e) => { println!("{e} {e:?}"); return } };
    println!("launched in {:?}", t.elapsed());
    let mut args: Vec<_> = std::env::args_os().skip(1).collect();
    let user = if args[0] == "root" { User::Root } else { User::Node };
    args.remove(0);
    for _ in 0..2 {
    let t = std::time::Instant::now();
    let mut e = Exec::new(&args[0]).args(&args[1..]).user(user); e.deadline = Some(std::time::Duration::from_secs(20));
    let out = launched.bottle.exec(e).await;
    println!("exec {:?}", t.elapsed());
    match out { Ok(o) => println!("{:?}\n{}\n{}", o.status, String::from_utf8_lossy(&o.stdout), String::from_utf8_lossy(&o.stderr)), Err(e) => println!("{e}") }
    }
    let t = std::time::Instant::now();
    println!("{:?} {:?}", launched.bottle.close().await, t.elapsed());
}
