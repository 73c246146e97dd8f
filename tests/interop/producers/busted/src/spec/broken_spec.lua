error('outside of the <tests>')
