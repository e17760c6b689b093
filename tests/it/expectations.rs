//! `docs/EXPECTATIONS.md` and the tests agree: each numbered sentence names tests that exist.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The letter of each page and how many sentences it has.
const PAGES: [(char, usize); 10] =
    [('G', 34), ('L', 5), ('A', 25), ('P', 34), ('B', 19), ('D', 8), ('H', 40), ('U', 18), ('C', 23), ('O', 34)];
const UNPROVEN: &str = "Not proven by a test";

/// Sentences by number: those with the tests that they name, and those of the "Not proven by a test" sections.
#[derive(Debug, Default)]
struct Expectations {
    proven: BTreeMap<String, Vec<String>>,
    unproven: BTreeSet<String>,
    errors: Vec<String>,
}

impl Expectations {
    fn parse(text: &str) -> Self {
        let (mut parsed, mut page, mut is_unproven) = (Self::default(), ' ', false);
        let mut current = None;
        for line in text.lines() {
            if let Some(heading) = line.strip_prefix("## ") {
                (page, is_unproven) = (heading.trim_end_matches(')').chars().last().unwrap_or(' '), false);
            } else if let Some(heading) = line.strip_prefix("### ") {
                is_unproven = heading == UNPROVEN;
            } else if let Some((number, _)) = line.strip_prefix("- **").and_then(|rest| rest.split_once("** ")) {
                current = (!is_unproven).then(|| number.to_owned());
                parsed.add(number, page, is_unproven);
            } else if let Some(number) = &current {
                let tests = line.split('`').skip(1).step_by(2).filter(|code| code.contains("::")).map(str::to_owned);
                parsed.proven.get_mut(number).expect("added above").extend(tests);
            }
        }
        parsed
    }

    fn add(&mut self, number: &str, page: char, is_unproven: bool) {
        if self.proven.contains_key(number) || self.unproven.contains(number) {
            self.errors.push(format!("{number} is there twice"));
        }
        if is_unproven {
            self.unproven.insert(number.to_owned());
        } else {
            self.proven.insert(number.to_owned(), Vec::new());
        }
        if !number.starts_with(page) {
            self.errors.push(format!("{number} stands under page {page}"));
        }
    }

    /// Everything in which the document differs from the known numbers and the tests.
    fn check(mut self, tests: &BTreeSet<String>) -> Vec<String> {
        let known: BTreeSet<String> =
            PAGES.iter().flat_map(|(page, count)| (1..=*count).map(move |n| format!("{page}{n}"))).collect();
        let listed: BTreeSet<String> = self.proven.keys().chain(&self.unproven).cloned().collect();
        self.errors.extend(known.difference(&listed).map(|number| format!("{number} is missing")));
        self.errors.extend(listed.difference(&known).map(|number| format!("{number} is unknown")));
        for (number, named) in &self.proven {
            if named.is_empty() {
                self.errors.push(format!("{number} names no test"));
            }
            let lost = named.iter().filter(|name| !tests.contains(*name));
            self.errors.extend(lost.map(|name| format!("{number} names {name}, which is no test")));
        }
        self.errors
    }
}

/// Every test of the repository as `module::function`: integration tests, and unit tests of the app and of the crates.
fn all_tests() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut tests = BTreeSet::new();
    collect_tests(&root.join("tests/it"), "", &mut tests);
    collect_tests(&root.join("src"), "", &mut tests);
    for entry in fs::read_dir(root.join("crates")).into_iter().flatten().flatten() {
        let module = entry.file_name().to_string_lossy().replace('-', "_") + "::";
        for folder in ["src", "tests"].map(|folder| entry.path().join(folder)).into_iter().filter(|path| path.is_dir())
        {
            collect_tests(&folder, &module, &mut tests);
        }
    }
    tests
}

fn collect_tests(folder: &Path, module: &str, tests: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            collect_tests(&path, &format!("{module}{name}::"), tests);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let module = if name == "mod" { module.to_owned() } else { format!("{module}{name}::") };
            let names = test_names(&fs::read_to_string(&path).unwrap());
            tests.extend(names.into_iter().map(|name| format!("{module}{name}")));
        }
    }
}

/// The functions of a Rust file that are marked as tests.
fn test_names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut is_marked = false;
    for line in text.lines().map(str::trim_start) {
        is_marked |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        if let Some((before, rest)) = line.split_once("fn ").filter(|_| is_marked && !line.starts_with('#')) {
            assert!(["", "async ", "pub ", "pub async "].contains(&before), "{line}");
            names.push(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
            is_marked = false;
        }
    }
    names
}

#[test]
fn every_expectation_names_tests_that_exist() {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/EXPECTATIONS.md")).unwrap();
    let errors = Expectations::parse(&text).check(&all_tests());
    assert!(errors.is_empty(), "docs/EXPECTATIONS.md:\n  {}", errors.join("\n  "));
}

#[test]
fn expectation_check_detects_errors() {
    let tests = BTreeSet::from(["hearts::a_test".to_owned()]);
    let text = "## Landing (L)\n- **L1** Good.\n  `hearts::a_test`\n- **L2** Bad.\n  `hearts::none`\n- **L3** Bare.\n- **L3** Twice.\n\
                - **G1** Misplaced.\n  `hearts::a_test`\n- **L9** Unknown.\n  `hearts::a_test`\n\n### Not proven by a test\n\n- **L4** Later.\n- **L1** Both.\n";
    let errors = Expectations::parse(text).check(&tests);
    for expected in [
        "L2 names hearts::none, which is no test",
        "L3 names no test",
        "L1 is there twice",
        "L3 is there twice",
        "L5 is missing",
        "L9 is unknown",
        "G1 stands under page L",
    ] {
        assert!(errors.iter().any(|error| error == expected), "{expected} in {errors:#?}");
    }
    assert!(!errors.iter().any(|error| error.starts_with("L1 names") || error.starts_with("L4 ")), "{errors:#?}");
    let source = "#[test]\nfn one() {}\nfn none() {}\n#[tokio::test]\n#[ignore = \"why\"]\nasync fn two() {}";
    assert_eq!(test_names(source), ["one", "two"]);
}
