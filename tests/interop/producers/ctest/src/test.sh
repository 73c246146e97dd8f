case $1 in
    passes) ;;
    output)
        echo 'to stdout "<&>" ]]> ünïcödé 🦀'
        echo 'to stderr <&>' >&2
        ;;
    fails)
        printf '%s\nsecond line\n' "expected \"a\" <b> & 'c' ]]> ünïcödé ✓ 🦀"
        exit 1
        ;;
    control_characters)
        printf '\033[31mred\033[0m nul:\000 bell:\007 end\n'
        exit 1
        ;;
    latin1)
        printf 'latin-1: \374 end\n'
        exit 1
        ;;
    flaky)
        n=$(($(cat flaky.count 2>/dev/null || echo 0) + 1))
        echo "$n" >flaky.count
        echo "attempt $n"
        [ "$n" -gt 1 ]
        ;;
    always_fails)
        n=$(($(cat always.count 2>/dev/null || echo 0) + 1))
        echo "$n" >always.count
        echo "attempt $n <fails>"
        exit 1
        ;;
    skipped) exit 77 ;;
    skipped_by_text) echo 'SKIP: skipped with "quotes" <&>' ;;
    aborts) kill -ABRT $$ ;;
esac
