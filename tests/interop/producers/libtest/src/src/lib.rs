/// Twice the number.
///
/// ```
/// assert_eq!(demo::double(2), 4);
/// ```
///
/// ```should_panic
/// panic!();
/// ```
pub fn double(n: i32) -> i32 {
    n * 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes() {
        println!("to stdout \"<&>\" ünïcödé 🦀");
        eprintln!("to stderr <&>");
        assert_eq!(double(2), 4);
    }

    #[test]
    fn fails() {
        println!("before the failure");
        panic!("expected \"a\" <b> & 'c' ]]> ünïcödé ✓ 🦀\nsecond line");
    }

    #[test]
    fn fails_to_compare() {
        assert_eq!(double(2), 5, "a <message> & more");
    }

    #[test]
    fn returns_an_error() -> Result<(), String> {
        Err("an <error> & more".to_string())
    }

    #[test]
    #[should_panic(expected = "boom")]
    fn should_panic_and_does_not() {}

    #[test]
    #[ignore = "skipped with \"quotes\" <&> 🦀"]
    fn is_ignored() {}

    mod outer {
        mod inner {
            #[test]
            fn nested() {}
        }
    }
}
