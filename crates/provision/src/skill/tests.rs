use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use tempfile::TempDir;

use super::{Skill, SkillError};

fn skills() -> TempDir {
    let skills = TempDir::new().unwrap();
    fs::create_dir(skills.path().join("good")).unwrap();
    fs::File::create(skills.path().join("good/SKILL.md")).unwrap();
    skills
}

fn refusal(name: &str, skills: &Path) -> SkillError {
    Skill::validate(name, skills).unwrap_err()
}

#[test]
fn a_folder_is_a_skill_and_so_is_a_link_to_one() {
    let skills = skills();
    symlink("good", skills.path().join("linked")).unwrap();
    for name in ["good", "linked"] {
        let skill = Skill::validate(name, skills.path()).unwrap();
        assert_eq!((skill.name(), skill.census().files), (name, 1));
    }
}

#[test]
fn names_that_could_mean_something_else_are_refused() {
    let skills = skills();
    let long = "x".repeat(10_000);
    for name in ["", "../../.ssh", "..", ".", "/etc", "a/b", "$(id)", "a;b", "A", "-a", "a b", "a\nb", "ä", "a_b", long.as_str()]
    {
        let error = refusal(name, skills.path());
        assert!(matches!(error, SkillError::Name(_)), "{name}: {error}");
        assert!(error.to_string().len() < 400);
    }
}

#[test]
fn missing_and_misplaced_are_told_apart() {
    let skills = skills();
    fs::File::create(skills.path().join("file")).unwrap();
    symlink("nowhere", skills.path().join("dangling")).unwrap();
    assert!(matches!(refusal("none", skills.path()), SkillError::Missing { .. }));
    assert!(matches!(refusal("dangling", skills.path()), SkillError::Missing { .. }));
    assert!(matches!(refusal("file", skills.path()), SkillError::NotAFolder { .. }));
    let error = refusal("none", Path::new("/no/such/folder")).to_string();
    assert!(error.contains("/no/such/folder/none") && error.contains("none"), "{error}");
}

#[test]
fn links_that_lead_out_are_refused_by_name() {
    for target in ["/etc/passwd", "../../secret", "../good/SKILL.md"] {
        let skills = skills();
        fs::create_dir_all(skills.path().join("bad/docs")).unwrap();
        symlink(target, skills.path().join("bad/leak")).unwrap();
        let error = refusal("bad", skills.path()).to_string();
        assert!(error.contains("skill bad") && error.contains("bad/leak") && error.contains(target), "{error}");
    }
}

#[test]
fn links_inside_stay() {
    let skills = skills();
    symlink("SKILL.md", skills.path().join("good/alias")).unwrap();
    assert_eq!(Skill::validate("good", skills.path()).unwrap().census().links, 1);
}
