use manifest::{Expectations, Expected, Style};
use policy::Code;

fn read(text: &str) -> Result<Expectations, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.yaml");
    #[allow(clippy::disallowed_methods, reason = "a test's own file")]
    std::fs::write(&path, text).unwrap();
    Expectations::read(&path).map_err(|told| {
        let all: Vec<_> = told.iter().map(|diagnostic| diagnostic.render(Style::Plain)).collect();
        all.join("\n\n").replace(folder.path().to_str().unwrap(), "")
    })
}

#[test]
fn a_file_with_everything() {
    let all = read(
        "---\nagent: fixer\nbottles: [base, work]\ncases:\n  - url: https://api.example.org/v1?x\n    expect: allow\n  - {url: 'http://[::1]:8080', method: post, headers: {X-A: '1', X-B: [a, b]}, expect: refuse, code: egress.port}\n",
    )
    .unwrap();
    assert_eq!((all.agent.as_str(), all.bottles.as_slice()), ("fixer", &["base".to_owned(), "work".to_owned()][..]));
    let [first, second] = all.cases.as_slice() else { panic!("{all:?}") };
    assert_eq!((first.method.as_str(), first.expected, first.line, first.column), ("GET", Expected::Allow, 5, 5));
    assert_eq!((second.method.as_str(), second.expected), ("post", Expected::Refuse(Some(Code::PortNotAllowed))));
    assert_eq!(
        second.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>(),
        [("x-a", "1"), ("x-b", "a"), ("x-b", "b")]
    );
}

#[test]
fn every_mistake_is_told_at_its_place() {
    let told = read(
        "agnt: fixer\ncases:\n  - {url: 'https://a@b.example/', expect: allow}\n  - {url: b.example, expect: maybe}\n  - {url: https://b.example, expect: allow, code: egress.host}\n  - {url: https://b.example, expect: refuse, code: egress.hosts}\n  - {method: 'G T', headers: {'a b': x, y: 7}}\n",
    );
    insta::assert_snapshot!(told.unwrap_err(), @r#"
    error: unknown key `agnt` in a file of expectations
     --> /policy.yaml:1:1
      |
    1 | agnt: fixer
      | ^^^^ unknown key
      |
      = help: did you mean `agent`?

    error: a file of expectations needs `agent`
     --> /policy.yaml:1:1
      |
    1 | agnt: fixer
      | ^^^^
      |
      = help: add `agent: fixer`

    error: bad `url`: it holds a user or password before the host (`allowed@evil` leads to evil): write the host alone
     --> /policy.yaml:3:11
      |
    3 |   - {url: 'https://a@b.example/', expect: allow}
      |           ^^^^^^^^^^^^^^^^^^^^^^

    error: bad `url`: not a URL: write `https://HOST/PATH` or `http://HOST/PATH`, percent-encoded
     --> /policy.yaml:4:11
      |
    4 |   - {url: b.example, expect: maybe}
      |           ^^^^^^^^^

    error: `maybe` is not a known expectation: there are `allow`, `refuse`
     --> /policy.yaml:4:30
      |
    4 |   - {url: b.example, expect: maybe}
      |                              ^^^^^

    error: `code` is for `expect: refuse` alone
     --> /policy.yaml:5:45
      |
    5 |   - {url: https://b.example, expect: allow, code: egress.host}
      |                                             ^^^^
      |
      = help: remove it

    error: `egress.hosts` is not a known code: there are `egress.host`, `egress.port`, `egress.request`, `egress.path`, `egress.plaintext`, `egress.git_push`
     --> /policy.yaml:6:52
      |
    6 |   - {url: https://b.example, expect: refuse, code: egress.hosts}
      |                                                    ^^^^^^^^^^^^
      |
      = help: did you mean `egress.host`?

    error: a case needs `url`
     --> /policy.yaml:7:6
      |
    7 |   - {method: 'G T', headers: {'a b': x, y: 7}}
      |      ^^^^^^
      |
      = help: add `url: https://api.example.org/v1/items`

    error: a case needs `expect`
     --> /policy.yaml:7:6
      |
    7 |   - {method: 'G T', headers: {'a b': x, y: 7}}
      |      ^^^^^^
      |
      = help: add `expect: refuse`

    error: bad method: `G T` is not an HTTP method: write a name such as `GET`, `POST` or `DELETE`
     --> /policy.yaml:7:14
      |
    7 |   - {method: 'G T', headers: {'a b': x, y: 7}}
      |              ^^^^^

    error: `a b` is not a header name: write letters, digits and `-`, such as `X-Api-Version`
     --> /policy.yaml:7:31
      |
    7 |   - {method: 'G T', headers: {'a b': x, y: 7}}
      |                               ^^^^^

    error: header value must be text, not a number
     --> /policy.yaml:7:44
      |
    7 |   - {method: 'G T', headers: {'a b': x, y: 7}}
      |                                            ^ a number here
      |
      = help: put it into quotes: "7"
    "#);
    insta::assert_snapshot!(read("agent: a\ncases: []").unwrap_err(), @"
    error: `cases` is empty: nothing would be tested
     --> /policy.yaml:2:1
      |
    2 | cases: []
      | ^^^^^
      |
      = help: write at least one case
    ");
    insta::assert_snapshot!(read("").unwrap_err(), @"
    error: a file of expectations needs `agent`
     --> /policy.yaml:1:1
      |
    1 |
      | ^
      |
      = help: add `agent: fixer`

    error: a file of expectations needs `cases`
     --> /policy.yaml:1:1
      |
    1 |
      | ^
      |
      = help: add `cases: [{url: https://api.example.org/, expect: allow}]`
    ");
    insta::assert_snapshot!(read("agent: [").unwrap_err(), @"
    error: this is not valid YAML: unclosed bracket '['
     --> /policy.yaml:1:8
      |
    1 | agent: [
      |        ^
    ");
}

#[test]
fn files_that_are_not_there() {
    let told = Expectations::read(std::path::Path::new("/nowhere/policy.yaml")).unwrap_err();
    insta::assert_snapshot!(told[0].render(Style::Plain), @"
    error: cannot use /nowhere/policy.yaml: the folder /nowhere does not exist
     |
     = help: name a file that you can read
    ");
    assert_eq!(Expectations::read(std::path::Path::new("/dev/null")).unwrap_err().len(), 1);
}
