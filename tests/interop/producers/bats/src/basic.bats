@test "passes" {
  true
}

@test "writes output" {
  echo 'to stdout "<&>" ünïcödé 🦀'
  echo 'to stderr <&>' >&2
  echo '# to the terminal <&>' >&3
}

@test "fails" {
  printf '%s\nsecond line\n' "expected \"a\" <b> & 'c' ]]> ünïcödé ✓ 🦀"
  false
}

@test "uses run" {
  run sh -c 'echo "output <&>"; exit 3'
  [ "$status" -eq 0 ]
}

@test "calls an unknown command" {
  no-such-command-anywhere
}

@test "is skipped" {
  skip 'skipped with "quotes" <&> 🦀'
}

@test "is skipped without a reason" {
  skip
}

@test "[a/b::c]" {
  true
}

@test "🦀 \"quoted\" 'single' <&>" {
  true
}
