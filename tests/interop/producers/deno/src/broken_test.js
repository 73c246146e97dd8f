throw new Error('outside of the <tests>');
