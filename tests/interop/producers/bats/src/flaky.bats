BATS_TEST_RETRIES=2

attempt() {
  n=$(($(cat "$1.count" 2>/dev/null || echo 0) + 1))
  echo "$n" >"$1.count"
  echo "attempt $n"
}

@test "flaky" {
  attempt flaky
  [ "$n" -gt 1 ]
}

@test "always fails" {
  attempt always
  false
}

@test "passes" {
  true
}
