module.exports = { projects: [{ name: 'desktop' }, { name: 'mobile' }] };
