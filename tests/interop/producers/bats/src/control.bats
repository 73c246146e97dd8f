@test "passes" {
  true
}

@test "fails with control characters" {
  printf '\033[31mred\033[0m bell:\007 latin-1:\374 end\n'
  false
}
