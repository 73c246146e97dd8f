local MESSAGE = 'expected "a" <b> & \'c\' ]]> ünïcödé ✓ 🦀\nsecond line'

describe('Basic', function()
  it('passes', function() end)

  it('writes output', function()
    print('to stdout "<&>" ünïcödé 🦀')
    io.stderr:write('to stderr <&>\n')
  end)

  it('fails', function() assert(false, MESSAGE) end)
  it('fails to compare', function() assert.are.same({ key = '<1>' }, { key = '<2>' }) end)
  it('errors', function() error(MESSAGE) end)
  it('errors with a table', function() error({ '<table>' }) end)
  pending('is pending')
  it('decides to be pending', function() pending('pending with "quotes" <&> 🦀') end)

  for n = 1, 3 do
    it('parameter ' .. n, function() assert.are_not.equal(2, n) end)
  end

  it('[a/b::c]', function() end)
  it('🦀 "quoted" \'single\' <&>', function() end)

  describe('outer', function()
    describe('inner <&>', function()
      it('nested', function() end)
    end)
    describe('with a broken hook', function()
      setup(function() error('setup <broken>') end)
      it('never runs', function() end)
    end)
  end)
end)
