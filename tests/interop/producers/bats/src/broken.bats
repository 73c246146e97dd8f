setup_file() {
  echo "setup_file <broken>"
  false
}

@test "never runs" {
  true
}

@test "never runs either" {
  true
}
