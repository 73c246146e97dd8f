@test "parameter 1" {
  [ 1 -ne 2 ]
}

@test "parameter 2" {
  [ 2 -ne 2 ]
}

@test "parameter 3" {
  [ 3 -ne 2 ]
}
