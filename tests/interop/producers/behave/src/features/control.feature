Feature: Control

  Scenario: passes
    Given a step that passes

  Scenario: control characters
    When a step that fails with control characters
