use std::{fs, path::Path};

fn attempt(name: &str) -> u32 {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("{name}.count"));
    let n = fs::read_to_string(&path).map_or(0, |s| s.parse().unwrap()) + 1;
    fs::write(path, n.to_string()).unwrap();
    n
}

#[test]
fn flaky() {
    let n = attempt("flaky");
    println!("attempt {n}");
    assert!(n > 1, "first attempt \"fails\" <&>");
}

#[test]
fn always_fails() {
    panic!("attempt {} <fails>", attempt("always"));
}

#[test]
fn passes() {}

/// Ends the process: nextest tells this from a failure by its type only.
#[test]
fn aborts() {
    std::process::abort();
}

#[test]
fn exits() {
    std::process::exit(3);
}

#[test]
fn times_out() {
    loop {
        std::thread::sleep(std::time::Duration::from_secs(1));
    }
}

macro_rules! parametrised {
    ($($name:ident: $value:expr),*) => {
        mod parametrised {
            $(#[test] fn $name() { assert_ne!($value, 2); })*
        }
    };
}
parametrised!(case_1: 1, case_2: 2, case_3: 3);
