#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

START_TEST(passes) { ck_assert_int_eq(1 + 1, 2); }
END_TEST

START_TEST(writes_output) { printf("to stdout <&>\n"); }
END_TEST

START_TEST(fails) { ck_abort_msg("expected \"a\" <b> & 'c' ]]> ünïcödé ✓ 🦀\nsecond line"); }
END_TEST

START_TEST(control_characters) { ck_abort_msg("\x1b[31mred\x1b[0m bell:\x07 end"); }
END_TEST

START_TEST(aborts) { abort(); }
END_TEST

START_TEST(exits) { exit(3); }
END_TEST

START_TEST(times_out) { sleep(30); }
END_TEST

START_TEST(parameter) { ck_assert_int_ne(_i, 2); }
END_TEST

int main(void) {
  Suite *first = suite_create("first <&> 🦀");
  TCase *core = tcase_create("core [a/b::c]");
  tcase_add_test(core, passes);
  tcase_add_test(core, writes_output);
  tcase_add_test(core, fails);
  tcase_add_test(core, control_characters);
  tcase_add_test(core, aborts);
  tcase_add_test(core, exits);
  tcase_add_loop_test(core, parameter, 1, 4);
  suite_add_tcase(first, core);
  TCase *slow = tcase_create("slow");
  tcase_set_timeout(slow, 0.2);
  tcase_add_test(slow, times_out);
  suite_add_tcase(first, slow);

  Suite *second = suite_create("second");
  TCase *other = tcase_create("other");
  tcase_add_test(other, passes);
  suite_add_tcase(second, other);

  SRunner *runner = srunner_create(first);
  srunner_add_suite(runner, second);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
