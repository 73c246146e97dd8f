#[test]
fn passes() {}

#[test]
fn fails() {
    panic!("the integration <fails>");
}

macro_rules! parametrised {
    ($($name:ident: $value:expr),*) => {
        mod parametrised {
            $(#[test] fn $name() { assert_ne!($value, 2); })*
        }
    };
}
parametrised!(case_1: 1, case_2: 2, case_3: 3);
