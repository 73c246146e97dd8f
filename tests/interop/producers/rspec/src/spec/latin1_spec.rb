RSpec.describe 'Latin-1' do
  it('passes') {}
  it('fails with bytes that are not UTF-8') { raise "latin-1: \xfc end" }
end
