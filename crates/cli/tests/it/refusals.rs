use crate::elsewhere::has_own_kernel;
use crate::scene::Scene;

fn audit(scene: &Scene) -> Vec<serde_json::Value> {
    let files = std::fs::read_dir(scene.path("home/.bot-bottle/audit")).unwrap().flatten();
    let text: String = files.map(|file| std::fs::read_to_string(file.path()).unwrap()).collect();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

const ASK: &str = r#"exec perl -MIO::Socket::INET -e '
    my ($host, $port, $ask) = @ARGV;
    my $s = IO::Socket::INET->new(PeerAddr => $host, PeerPort => $port, Timeout => 20) or die "no connection: $!";
    print $s $ask; $s->flush; local $/; print scalar <$s>' "#;

#[test]
fn a_request_through_the_proxy_is_refused_with_a_reason_and_recorded_once() {
    let scene = Scene::new();
    let ran = scene.script(&format!(
        "{ASK} 127.0.0.1 3128 \"$(printf 'CONNECT api.example.com:443 HTTP/1.1\\r\\nHost: api.example.com:443\\r\\n\\r\\n')\n\n\""
    ));
    assert!(
        ran.stdout.contains("HTTP/1.1 403") && ran.stdout.to_lowercase().contains("x-bottle-refusal: egress.host"),
        "{ran:?}"
    );
    let records = audit(&scene);
    assert_eq!(records.len(), 1);
    assert_eq!((&records[0]["asked"], &records[0]["destination"]), (&"CONNECT api.example.com:443".into(), &"proxy".into()));
    assert!(ran.stderr.contains("1 thing was refused: see 'bot-bottle logs "), "{}", ran.stderr);
}

#[test]
fn a_program_that_knows_no_proxy_is_refused_too_with_its_destination() {
    let scene = Scene::new();
    let ran = scene.script(&format!("{ASK} 203.0.113.9 80 \"GET /canary HTTP/1.0\n\n\""));
    if has_own_kernel() {
        // By the kernel: there is no way to it, and nobody hears of it.
        assert!(ran.code != 0 && ran.stdout.is_empty() && ran.stderr.contains("no connection: "), "{ran:?}");
        return assert_eq!(audit(&scene), Vec::<serde_json::Value>::new());
    }
    assert!(ran.stdout.contains("egress."), "{ran:?}");
    let records = audit(&scene);
    assert_eq!((&records[0]["destination"], &records[0]["kind"]), (&"203.0.113.9:80".into(), &"http".into()));
    assert!(!records[0].to_string().contains("canary"));
}

#[test]
fn proxy_variables_are_set_for_every_program() {
    let ran = Scene::new().script("echo $HTTP_PROXY $https_proxy $ALL_PROXY; echo $NO_PROXY");
    let proxy = "http://127.0.0.1:3128";
    assert_eq!(ran.stdout, format!("{proxy} {proxy} {proxy}\nlocalhost,127.0.0.1,::1\n"));
}
