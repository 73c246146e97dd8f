MESSAGE = "expected \"a\" <b> & 'c' ]]> ünïcödé ✓ 🦀\nsecond line"

RSpec.describe 'Basic' do
  it('passes') {}

  it 'writes output' do
    puts 'to stdout "<&>" ünïcödé 🦀'
    warn 'to stderr <&>'
  end

  it('fails') { RSpec::Expectations.fail_with(MESSAGE) }
  it('fails to compare') { expect({ key: '<1>' }).to eq({ key: '<2>' }) }
  it('raises') { raise ArgumentError, MESSAGE }

  it 'fails twice', :aggregate_failures do
    expect(1).to eq 2
    expect(3).to eq 4
  end

  it('is skipped', skip: 'skipped with "quotes" <&> 🦀') {}
  it 'has no body'

  it 'is pending' do
    pending('a "reason" <&>')
    raise 'known'
  end

  it('is pending and fixed') { pending('a reason') }

  [1, 2, 3].each do |n|
    it("parameter #{n}") { expect(n).not_to eq 2 }
  end

  it('[a/b::c]') {}
  it("🦀 \"quoted\" 'single' <&>") {}
  it { expect(1).to eq 1 }

  context 'outer' do
    describe Comparable, '#between?' do
      it('nested <&>') {}
    end

    context 'with a broken hook' do
      before(:context) { raise 'before <broken>' }
      it('never runs') {}
    end
  end

  shared_examples 'shared' do
    it('is shared') {}
  end
  it_behaves_like 'shared'
end
