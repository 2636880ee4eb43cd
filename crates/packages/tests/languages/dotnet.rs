use guardhouse_packages::Origin;

use crate::support::{names, packages, refusal};

#[test]
fn packages_lock_json() {
    let lock = r#"{"version": 1, "dependencies": {
      "net6.0": {
        "Newtonsoft.Json": {"type": "Direct", "requested": "[12.0.3, )", "resolved": "12.0.3", "contentHash": "x"},
        "System.Text.Json": {"type": "Transitive", "resolved": "6.0.0", "dependencies": {"X": "1.0.0"}},
        "mine": {"type": "Project", "dependencies": {"X": "[1.0.0, )"}}
      },
      "net6.0/linux-x64": {"Newtonsoft.Json": {"type": "Direct", "resolved": "12.0.3"}}
    }}"#;
    assert_eq!(
        names("/srv/packages.lock.json", format!("\u{feff}{lock}")),
        ["Newtonsoft.Json 12.0.3", "System.Text.Json 6.0.0"]
    );
    assert_eq!(names("/srv/packages.lock.json", r#"{"version": 1, "dependencies": {}}"#), [""; 0]);
    assert!(refusal("/srv/packages.lock.json", "{}").contains("dependencies"));
}

#[test]
fn libraries() {
    let text = r#"{"version": 3, "targets": {"net6.0": {"Newtonsoft.Json/12.0.3": {"type": "package"}}}, "libraries": {
      "mine/1.0.0": {"type": "project", "serviceable": false},
      "Newtonsoft.Json/12.0.3": {"type": "package", "serviceable": true, "sha512": "x"},
      "runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/6.0.1": {"type": "runtimepack"}
    }}"#;
    let expected = ["Microsoft.NETCore.App.Runtime.linux-x64 6.0.1", "Newtonsoft.Json 12.0.3"];
    for (path, origin) in
        [("/app/mine.deps.json", Origin::Installed), ("/src/obj/project.assets.json", Origin::Locked)]
    {
        assert_eq!(names(path, text), expected);
        assert!(packages(path, text.as_bytes()).iter().all(|package| package.origin == origin));
        assert!(refusal(path, "{}").contains("libraries"));
    }
}

#[test]
fn packages_config() {
    let text = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<packages>\r\n  <package id=\"jQuery\" version=\"1.9.1\" targetFramework=\"net45\" />\r\n\
        <!-- <package id=\"no\" version=\"1\" /> -->\r\n</packages>\r\n";
    assert_eq!(names("/srv/packages.config", text), ["jQuery 1.9.1"]);
    assert!(refusal("/srv/packages.config", "<packages><package></packages>").contains("offset"));
}

#[test]
fn projects() {
    let text = r#"<Project Sdk="Microsoft.NET.Sdk"><ItemGroup>
        <PackageReference Include="A" Version="1.0.0" />
        <PackageReference Include="B"><PrivateAssets>all</PrivateAssets><Version>[2.0.0]</Version></PackageReference>
        <PackageReference Include="C" Version="3.*" />
        <PackageReference Include="D" />
        <ProjectReference Include="E" Version="1.0.0" />
      </ItemGroup></Project>"#;
    for path in ["/srv/a.csproj", "/srv/a.fsproj", "/srv/a.vbproj"] {
        assert_eq!(names(path, text), ["A 1.0.0", "B 2.0.0"]);
    }
    let central = r#"<Project><ItemGroup><PackageVersion Include="A" Version="1.0.0" /><PackageVersion Update="B" Version="2.0.0" /></ItemGroup></Project>"#;
    assert_eq!(names("/srv/Directory.Packages.props", central), ["A 1.0.0", "B 2.0.0"]);
}
