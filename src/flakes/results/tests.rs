//! Results of one run: what makes two cases one test, and what is kept of each.

use super::*;

fn case(class: &str, name: &str, attempts: &str) -> Case {
    let mut case = Case::default();
    case.class = class.to_owned();
    case.name = name.to_owned();
    case.attempts = attempts.chars().filter_map(Outcome::from_letter).collect();
    case
}

fn listed(results: &Results) -> Vec<String> {
    let told = |test: TestResult<'_>| format!("{} | {} | {}", test.suite, test.name, test.sequence);
    results.tests().map(told).collect()
}

fn add(results: &mut Results, class: &str, name: &str, attempts: &str) {
    results.case(&["file".to_owned()], 1, &case(class, name, attempts), "");
}

#[test]
fn a_class_is_named_where_it_says_more_than_suites_and_name() {
    let label = |suites: &[&str], class: &str| {
        let suites: Vec<String> = suites.iter().map(|suite| (*suite).to_owned()).collect();
        suite_label(&suites, class, "name")
    };
    assert_eq!(label(&["a", "b"], "C"), "a > b > C");
    assert_eq!(label(&["a", "b"], "b"), "a > b");
    assert_eq!(label(&["a", "b"], "name"), "a > b");
    assert_eq!(label(&["a", "b"], ""), "a > b");
    assert_eq!(label(&[], "C"), "C");
    assert_eq!(label(&[], ""), "");
}

#[test]
fn a_label_holds_for_the_class_and_not_for_a_name_that_is_its_class() {
    let mut results = Results::default();
    add(&mut results, "A", "one", "p");
    add(&mut results, "A", "two", "p");
    add(&mut results, "B", "one", "p");
    add(&mut results, "same", "same", "p");
    add(&mut results, "same", "other", "p");
    results.case(&["next".to_owned()], 2, &case("A", "one", "p"), "");
    assert_eq!(
        listed(&results),
        [
            "file > A | one | p",
            "file > A | two | p",
            "file > B | one | p",
            "file | same | p",
            "file > same | other | p",
            "next > A | one | p"
        ]
    );
    assert_eq!(results.len(), 6);
}

#[test]
fn twins_are_counted_by_kind() {
    let mut results = Results::default();
    for attempts in ["p", "fp", "p", "", "p"] {
        add(&mut results, "A", "a", attempts);
    }
    add(&mut results, "A", "b", "fp");
    assert_eq!(
        listed(&results),
        ["file > A | a | fp+p*3+s", "file > A | b | fp"]
    );
    assert_eq!(expected("fp+p*3+s"), "p*4+s");
    assert_eq!(expected("fp"), "p");
    assert_eq!(expected("s"), "s");
    let counted: Vec<(usize, u64)> = twins("fp+p*3+s")
        .map(|(twin, times)| (twin.len(), times))
        .collect();
    assert_eq!(counted, [(2, 1), (1, 3), (0, 1)]);
}

#[test]
fn many_kinds_of_twin_are_told_apart_by_how_they_ended() {
    let mut results = Results::default();
    for failures in 0..60 {
        let attempts = format!("{}p", "f".repeat(failures));
        add(&mut results, "A", "a", &attempts);
    }
    add(&mut results, "A", "a", &"f".repeat(70));
    let test = results.at(0);
    let kinds: BTreeMap<&str, u64> = kinds(&test.sequence).collect();
    assert_eq!(kinds.len(), 51);
    assert_eq!(kinds.values().sum::<u64>(), 61);
    // Ten that had no room, and the one that passed at once.
    assert_eq!((kinds["p"], kinds["f"]), (11, 1));
    assert!(is_sequence(&test.sequence));
}

#[test]
fn many_attempts_are_cut_in_the_middle() {
    let mut results = Results::default();
    add(&mut results, "A", "a", &format!("{}p", "f".repeat(300)));
    add(&mut results, "A", "b", &format!("{}p", "f".repeat(199)));
    let sequences: Vec<String> = results
        .tests()
        .map(|test| test.sequence.into_owned())
        .collect();
    assert_eq!(sequences[0], format!("{}p", "f".repeat(200)));
    assert_eq!(sequences[1], format!("{}p", "f".repeat(199)));
}

#[test]
fn message_file_and_time_of_a_test_are_kept() {
    let mut results = Results::default();
    let suites = ["s".to_owned()];
    let mut failed = case("", "a", "pf");
    failed.file = "a.rs".to_owned();
    failed.seconds = Some(1.0);
    results.case(&suites, 1, &failed, "first");
    failed.file = "b.rs".to_owned();
    failed.seconds = Some(2.0);
    results.case(&suites, 1, &failed, "second");
    let mut passed = case("", "b", "fp");
    passed.file = "c.rs".to_owned();
    results.case(&suites, 1, &passed, "");
    let both = |results: &Results| {
        let told = results.tests().map(|test| {
            let time = (test.time != Time::UNKNOWN).then_some(test.time);
            (test.message.to_owned(), test.file.to_owned(), time)
        });
        told.collect::<Vec<_>>()
    };
    let three = Time::of_seconds(1.0).plus(Time::of_seconds(2.0));
    let wanted = [
        ("first".to_owned(), "a.rs".to_owned(), Some(three)),
        (String::new(), String::new(), None),
    ];
    assert_eq!(both(&results), wanted);
    // They stay when results are taken over, and when names change.
    let mut other = Results::default();
    add(&mut other, "", "z", "p");
    other.absorb(results);
    assert_eq!(both(&other)[1..], wanted);
    let renamed = other.rewrite_names(&|name| (name == "s").then(|| "t".to_owned()));
    assert_eq!(both(&renamed)[1..], wanted);
    assert_eq!(renamed.at(1).suite, "t");
}

#[test]
fn the_results_of_another_file_are_taken_over_with_their_twins() {
    let mut first = Results::default();
    let mut second = Results::default();
    add(&mut second, "A", "a", "p");
    add(&mut second, "A", "a", "p");
    add(&mut second, "A", "b", "f");
    first.absorb(second);
    assert_eq!(listed(&first), ["file > A | a | p*2", "file > A | b | f"]);
    let mut third = Results::default();
    add(&mut third, "A", "a", "f");
    add(&mut third, "A", "a", "p");
    first.absorb(third);
    assert_eq!(listed(&first), ["file > A | a | f+p*3", "file > A | b | f"]);
}

#[test]
fn tests_that_get_one_name_are_one() {
    let mut results = Results::default();
    for name in ["a-1", "a-2", "b"] {
        add(&mut results, "A", name, "p");
    }
    let plain = |name: &str| {
        name.strip_suffix("-1")
            .or(name.strip_suffix("-2"))
            .map(str::to_owned)
    };
    assert!(!results.is_clean(&|text| text.contains("a-2").then(String::new)));
    assert!(!results.is_clean(&|text| text.contains("file > A").then(String::new)));
    assert!(results.is_clean(&|text| text.contains('z').then(String::new)));
    let joined = results.rewritten(&|suite, name| plain(name).map(|name| (suite.to_owned(), name)));
    assert_eq!(listed(&joined), ["file > A | a | p*2", "file > A | b | p"]);
}

#[test]
fn tests_are_ordered_by_suite_and_name() {
    let mut results = Results::default();
    for (class, name) in [("B", "a"), ("A", "b"), ("A", "a")] {
        add(&mut results, class, name, "p");
    }
    assert_eq!(results.order(), [2, 1, 0]);
}

#[test]
fn only_what_we_write_is_a_sequence() {
    for right in ["p", "fp", "s", "f*3+p*150", "fp+p", "es+f"] {
        assert!(is_sequence(right), "{right}");
    }
    let long = "f".repeat(MOST_ATTEMPTS + 1);
    assert!(is_sequence(&long));
    let too_long = format!("{long}f");
    for wrong in [
        "",
        "x",
        "p+fp",
        "p+p",
        "p*1",
        "p*0",
        "p*02",
        "p*",
        "p*x",
        "p*-2",
        "p*1000001",
        "p+",
        &too_long,
    ] {
        assert!(!is_sequence(wrong), "{wrong}");
    }
    assert!(is_sequence("p*1000000"));
    let kinds = |count: usize| {
        (1..=count)
            .map(|length| "f".repeat(length))
            .collect::<Vec<_>>()
            .join("+")
    };
    assert!(is_sequence(&kinds(MOST_KINDS + 4)));
    assert!(!is_sequence(&kinds(MOST_KINDS + 5)));
}

#[test]
fn numbers_of_texts_stay_when_texts_change() {
    let mut interner = Interner::default();
    assert_eq!(
        (
            interner.number("a"),
            interner.number("b"),
            interner.number("a")
        ),
        (0, 1, 0)
    );
    assert_eq!((interner.len(), interner.text(1)), (2, "b"));
    let renamed = interner.rewritten(&|text| (text == "a").then(|| "b".to_owned()));
    assert_eq!(
        (renamed, interner.len(), interner.text(0)),
        (vec![0, 0], 1, "b")
    );
}
