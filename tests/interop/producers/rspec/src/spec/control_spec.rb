RSpec.describe 'Control' do
  it('passes') {}
  it('fails with control characters') { raise "\e[31mred\e[0m nul:\0 bell:\a end" }
end
