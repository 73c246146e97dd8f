#[test]
fn passes() {}

#[test]
fn fails_with_control_characters() {
    panic!("\x1b[31mred\x1b[0m nul:\x00 bell:\x07 end");
}
