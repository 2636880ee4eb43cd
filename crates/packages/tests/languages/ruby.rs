use guardhouse_packages::Origin;

use crate::support::{format, names, packages, refusal};

#[test]
fn gemfile_lock() {
    let lock = "GIT\n  remote: https://example.org/g.git\n  revision: 01\n  specs:\n    g (0.5)\n      rack (>= 1)\n\n\
        PATH\n  remote: .\n  specs:\n    mine (0.1.0)\n      rack\n\n\
        GEM\n  remote: https://rubygems.org/\n  specs:\n    nokogiri (1.15.4)\n      racc (~> 1.4)\n    nokogiri (1.15.4-x86_64-linux)\n    rack (2.2.6.pre.1)\n\n\
        PLATFORMS\n  ruby\n  x86_64-linux\n\nDEPENDENCIES\n  nokogiri (= 1.15.4)\n  mine!\n\nBUNDLED WITH\n   2.3.15\n";
    let expected = ["g 0.5", "nokogiri 1.15.4", "rack 2.2.6.pre.1"];
    assert_eq!(names("/srv/Gemfile.lock", lock), expected);
    assert_eq!(names("/srv/gems.locked", lock.replace('\n', "\r\n")), expected);
    assert!(refusal("/srv/Gemfile.lock", "hello\n").contains("GEM"));
    assert!(format("/var/lib/gems/3.1.0/gems/rack-2.0.1/Gemfile.lock").is_none());
}

#[test]
fn specifications_of_installed_gems() {
    // As RubyGems writes it, as a gem of Ruby itself has it, and with nothing to go by but the name of the file.
    let written = "# -*- encoding: utf-8 -*-\n# stub: rake 13.0.6 ruby lib\n# stub: ext/a.rb\0ext/b.rb\n\nGem::Specification.new do |s|\n  s.name = \"rake\".freeze\n  \
        s.version = \"13.0.6\"\n  s.licenses = [\"MIT\".freeze]\n  s.rubygems_version = \"3.3.5\".freeze\nend\n";
    let literal = "Gem::Specification.new do |spec|\n  spec.name = 'rake'\n  spec.version = Gem::Version.new('13.0.6')\n  spec.license = 'MIT'\nend\n";
    let computed = "Gem::Specification.new do |s|\n  s.name = File.basename(__FILE__)\n  s.version = Rake::VERSION\n  s.licenses = ['MIT']\nend\n";
    for text in [written, literal, computed] {
        let found = packages("/var/lib/gems/3.1.0/specifications/rake-13.0.6.gemspec", text.as_bytes());
        let [package] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((package.name.as_str(), package.version.as_str()), ("rake", "13.0.6"), "{text}");
        assert_eq!((package.origin, &package.licences[..]), (Origin::Installed, &["MIT".to_owned()][..]));
    }
    assert!(refusal("/specifications/rake.gemspec", "").contains("name"));
}
