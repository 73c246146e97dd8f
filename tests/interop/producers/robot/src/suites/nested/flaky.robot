*** Settings ***
Library    OperatingSystem

*** Test Cases ***
Flaky Test
    ${seen}=    Run Keyword And Return Status    File Should Exist    flaky.count
    Create File    flaky.count    1
    Should Be True    ${seen}    first attempt "fails" <&>

Templated
    [Template]    Should Be Equal As Integers
    1    1
    2    2
    3    3
