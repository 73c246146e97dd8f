*** Settings ***
Documentation    A suite with "quotes" <&>
Metadata         Owner    team <&>
Library          OperatingSystem

*** Test Cases ***
Passing Test
    Log    to the log
    Log To Console    to stdout "<&>" ünïcödé 🦀

Failing Test
    Fail    expected "a" <b> & 'c' ]]> ünïcödé ✓ 🦀\nsecond line

Continued Failures
    Run Keyword And Continue On Failure    Fail    first
    Run Keyword And Continue On Failure    Fail    second

Failing With Control Characters
    Fail    \x1b[31mred\x1b[0m nul:\x00 bell:\x07 end

Skipped Test
    Skip    skipped with "quotes" <&> 🦀

[a/b::c]
    No Operation

🦀 "quoted" 'single' <&>
    No Operation

Dotted.Name
    No Operation
