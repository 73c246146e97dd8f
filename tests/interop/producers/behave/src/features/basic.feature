@tag
Feature: Basic "tests" <&> 🦀

  Scenario: passes
    Given a step that passes

  Scenario: fails
    Given a step that passes
    When a step that fails
    Then a step that passes

  Scenario: errors
    When a step that raises

  Scenario: is undefined
    When no such step

  @skip
  Scenario: is skipped
    Given a step that skips

  Scenario: writes output
    Given a step that writes output

  Scenario Outline: parameter <n>
    Then <n> is not two

    Examples: numbers
      | n |
      | 1 |
      | 2 |
      | 3 |

  Scenario: [a/b::c]
    Given a step that passes

  Rule: a rule
    Scenario: nested
      Given a step that passes
