//! Where a search is found, and where it is refused.

use super::*;

#[test]
fn to_the_character_and_once() {
    check("a\nb\nc\n", "b\n", "x\ny\n", "a\nx\ny\nc\n");
    check("a\nb\nc\n", "b", "x", "a\nx\nc\n");
    check("a\nb\nc\n", "b\n", "", "a\nc\n");
    check(
        "a\r\nb\r\nc\r\n",
        "b\nc\n",
        "x\nc\nd\n",
        "a\r\nx\r\nc\r\nd\r\n",
    );
    refuses(
        "a\nb\na\n",
        "a\n",
        "x\n",
        "2 times, compared to the character",
    );
    refuses("a\nb\n", "b\n", "b\n", "nothing would change");
    refuses("a\nb\n", "", "x\n", "has no line of the file");
}

#[test]
fn exact_wins_over_what_is_like_it() {
    check(
        "  first line\nfirst line\n",
        "first line\n",
        "x\n",
        "  first line\nx\n",
    );
}

#[test]
fn white_space_at_the_ends_is_neither_asked_for_nor_brought_in() {
    check(
        "let first = 1;\nlet second = 2;\n",
        "let first = 1;  \nlet second = 2;  \n",
        "let first = 1;  \nlet third = 3;  \n",
        "let first = 1;\nlet third = 3;\n",
    );
    check(
        "let first = 1; \nlet second = 2;\n",
        "let first = 1;\nlet second = 2;\n",
        "let first = 1;\nlet third = 3;\n",
        "let first = 1; \nlet third = 3;\n",
    );
}

#[test]
fn indentation_that_is_off_by_as_much_everywhere() {
    check(
        "impl A {\n    fn first() {\n        second();\n    }\n}\n",
        "fn first() {\n    second();\n}\n",
        "fn first() {\n    if third {\n        fourth();\n    }\n}\n",
        "impl A {\n    fn first() {\n        if third {\n            fourth();\n        }\n    }\n}\n",
    );
    check(
        "fn first() {\n    second();\n}\n",
        "    fn first() {\n        second();\n",
        "    fn first() {\n        third();\n",
        "fn first() {\n    third();\n}\n",
    );
    refuses(
        "  first_line\n      second_line\n",
        "first_line\nsecond_line\n",
        "first_line\nx\n",
        "not all in the same way",
    );
    refuses(
        "    first_line();\n",
        "first_line();\n",
        "    second_line();\n",
        "may already have",
    );
}

#[test]
fn tabs_and_spaces() {
    check(
        "func a() {\n\tfirst()\n\tif b {\n\t\tsecond()\n\t}\n}\n",
        "    if b {\n        second()\n    }\n",
        "    if b {\n        third()\n    }\n",
        "func a() {\n\tfirst()\n\tif b {\n\t\tthird()\n\t}\n}\n",
    );
    check(
        "fn a() {\n  first();\n  second();\n}\n",
        "\tfirst();\n\tsecond();\n",
        "\tfirst();\n\tif b {\n\t\tsecond();\n\t}\n",
        "fn a() {\n  first();\n  if b {\n    second();\n  }\n}\n",
    );
    check(
        "fn a() {\n    first();\n}\n",
        "fn a() {\n",
        "fn z() {\n\tsecond();\n}\nfn a() {\n",
        "fn z() {\n    second();\n}\nfn a() {\n    first();\n}\n",
    );
}

#[test]
fn typographic_quotes_and_dashes() {
    check(
        "say(\"it's so\");\nstop();\n",
        "say(\u{201c}it\u{2019}s so\u{201d});\nstop();\n",
        "say(\u{201c}it\u{2019}s not so\u{201d});\nstop();\n",
        "say(\"it's not so\");\nstop();\n",
    );
    check(
        "// It\u{2019}s so \u{2013} always\nfirst();\nsecond();\n",
        "// It's so - always\nfirst();\n",
        "// It's so - always\nthird();\n",
        "// It\u{2019}s so \u{2013} always\nthird();\nsecond();\n",
    );
    refuses(
        "say(\"It\u{2019}s so\");\n",
        "say(\"It's so\");\n",
        "say(\"It's not so\");\n",
        "typographic characters",
    );
    check(
        "first();\n",
        "first();\n",
        "// It\u{2019}s first\nsay(\u{201c}first\u{201d});\n",
        "// It's first\nsay(\"first\");\n",
    );
    refuses(
        "first();\n",
        "first();\n",
        "// It\u{2019}s first\nfirst();\n",
        "typographic quotes",
    );
    check(
        "first();\n",
        "first();\n",
        "say(\"\u{201c}first\u{201d}\");\n",
        "say(\"\u{201c}first\u{201d}\");\n",
    );
}

#[test]
fn commas_at_the_ends_of_lines() {
    check(
        "call(\n    first,\n    second_one,\n    third,\n);\n",
        "    second_one\n    third,\n",
        "    second_one\n    fourth,\n",
        "call(\n    first,\n    second_one,\n    fourth,\n);\n",
    );
    refuses(
        "call(\n    first_argument,\n    second,\n);\n",
        "    first_argument\n",
        "    other_argument\n",
        "ends with a comma",
    );
    check(
        "call(\n    first_argument,\n    second,\n);\n",
        "    first_argument\n",
        "    other_argument,\n",
        "call(\n    other_argument,\n    second,\n);\n",
    );
}

#[test]
fn numbers_fences_and_blank_lines_around() {
    check(
        FILE,
        "3 |     print(total);\n4 | }\n",
        "3 |     show(total);\n4 | }\n",
        &FILE.replace("print", "show"),
    );
    check(
        FILE,
        "```rust\n    print(total);\n```\n",
        "```rust\n    show(total);\n```\n",
        &FILE.replace("print", "show"),
    );
    check(
        FILE,
        "\n    print(total);\n",
        "\n    show(total);\n",
        &FILE.replace("print", "show"),
    );
}

#[test]
fn two_places_at_a_level_are_refused() {
    refuses(
        FILE,
        "let total = 1;\n",
        "let total = 2;\n",
        "2 times, compared without indentation",
    );
    refuses(
        "first_line();\n\nfirst_line(); \n",
        "first_line();\t\n",
        "x\n",
        "2 times, compared without white space at the ends",
    );
}

#[test]
fn little_must_be_exact() {
    check("a {\n    }\n}\n", "}\n", "};\n", "a {\n    }\n};\n");
    refuses("a {\n  }\n", "}\n", "};\n", "not in the file");
    refuses(
        "  first_line();\n",
        "first_line();\n",
        "first_line();\nx();\n",
        "not in the file",
    );
}

#[test]
fn parts_of_lines_in_edits_that_have_a_form() {
    check(
        "let a = call(1, 2);\n",
        "call(1, 2)",
        "call(2, 1)",
        "let a = call(2, 1);\n",
    );
    refuses("let max = 1;\n", "x = 1", "y = 1", "not in the file");
    refuses(
        "    first_line();\n",
        "first_line();",
        "if a {\n        first_line();\n    }",
        "may already have it or not",
    );
}

#[test]
fn context_that_is_wrong() {
    let file = "fn first() {\n    // It adds one.\n    let one = two + 1;\n    call(one);\n    done(one)\n}\n";
    check(
        file,
        "    // It adds 1.\n    let one = two + 1;\n    call(one);\n    done(one)\n",
        "    // It adds 1.\n    let one = two + 1;\n    shout(one);\n    done(one)\n",
        &file.replace("call", "shout"),
    );
    check(
        file,
        "fn first() {\n    let one = two + 1;\n    call(one);\n    done(one)\n",
        "fn first() {\n    let one = two + 1;\n    shout(one);\n    done(one)\n",
        &file.replace("call", "shout"),
    );
    // The line that is missing may be before the new one, or behind it.
    refuses(
        file,
        "fn first() {\n    let one = two + 1;\n    call(one);\n",
        "fn first() {\n    new_line(one);\n    let one = two + 1;\n    call(one);\n",
        "not in the file",
    );
}

#[test]
fn a_missing_end_of_the_last_line_stays_missing() {
    check("a\nb", "b\n", "c\n", "a\nc");
    check("a\nb", "a\n", "c\n", "c\nb");
    check("a\nb", "b\n", "b\nc\n", "a\nb\nc");
}

#[test]
fn words_that_stand_for_lines_are_refused() {
    refuses(
        FILE,
        "    keep(total);\n",
        "    // ... rest of the function ...\n",
        "stands for lines",
    );
    refuses(FILE, "    keep(total);\n", "    ...\n", "stands for lines");
    let whole = edited(
        FILE,
        Action::Whole {
            text: "fn main() {}\n\n// ... existing code ...\n".into(),
        },
    );
    assert!(
        whole
            .unwrap_err()
            .for_model()
            .contains("Write these lines out")
    );
}
