raise 'outside of the <examples>'
