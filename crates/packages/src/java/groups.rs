//! Groups of artefacts that are built without Maven and are in very many programs.

/// What an artifact is called, a folder that it must have (`/` at its end), and its group. A `*` stands for any end. The
/// folder keeps somebody else's `spring-core` out. Well-known artifacts whose files do not tell their group.
const KNOWN: &[(&str, &str, &str)] = &[
    ("spring-boot*", "org/springframework/boot/", "org.springframework.boot"),
    ("spring-security-*", "org/springframework/security/", "org.springframework.security"),
    ("spring-data-*", "org/springframework/data/", "org.springframework.data"),
    ("spring-integration-*", "org/springframework/integration/", "org.springframework.integration"),
    ("spring-cloud-*", "org/springframework/cloud/", "org.springframework.cloud"),
    ("spring-amqp", "org/springframework/amqp/", "org.springframework.amqp"),
    ("spring-rabbit", "org/springframework/amqp/", "org.springframework.amqp"),
    ("spring-kafka", "org/springframework/kafka/", "org.springframework.kafka"),
    ("spring-ldap-core", "org/springframework/ldap/", "org.springframework.ldap"),
    ("spring-aop", "org/springframework/aop/", "org.springframework"),
    ("spring-beans", "org/springframework/beans/", "org.springframework"),
    ("spring-context*", "org/springframework/", "org.springframework"),
    ("spring-core", "org/springframework/core/", "org.springframework"),
    ("spring-expression", "org/springframework/expression/", "org.springframework"),
    ("spring-jdbc", "org/springframework/jdbc/", "org.springframework"),
    ("spring-jms", "org/springframework/jms/", "org.springframework"),
    ("spring-messaging", "org/springframework/messaging/", "org.springframework"),
    ("spring-orm", "org/springframework/orm/", "org.springframework"),
    ("spring-oxm", "org/springframework/oxm/", "org.springframework"),
    ("spring-test", "org/springframework/test/", "org.springframework"),
    ("spring-tx", "org/springframework/transaction/", "org.springframework"),
    ("spring-web", "org/springframework/web/", "org.springframework"),
    ("spring-webflux", "org/springframework/web/", "org.springframework"),
    ("spring-webmvc", "org/springframework/web/", "org.springframework"),
    ("spring-websocket", "org/springframework/web/", "org.springframework"),
    ("asm", "org/objectweb/asm/", "org.ow2.asm"),
    ("asm-*", "org/objectweb/asm/", "org.ow2.asm"),
    ("tomcat-embed-*", "org/apache/", "org.apache.tomcat.embed"),
    ("tomcat-*", "org/apache/", "org.apache.tomcat"),
    ("lucene-*", "org/apache/lucene/", "org.apache.lucene"),
    ("solr-*", "org/apache/solr/", "org.apache.solr"),
    ("kafka-clients", "org/apache/kafka/", "org.apache.kafka"),
    ("kafka_*", "kafka/", "org.apache.kafka"),
    ("hadoop-*", "org/apache/hadoop/", "org.apache.hadoop"),
    ("libthrift", "org/apache/thrift/", "org.apache.thrift"),
    ("derby*", "org/apache/derby/", "org.apache.derby"),
    ("ivy", "org/apache/ivy/", "org.apache.ivy"),
    ("ant", "org/apache/tools/ant/", "org.apache.ant"),
    ("xercesImpl", "org/apache/xerces/", "xerces"),
    ("xalan", "org/apache/xalan/", "xalan"),
    ("xstream", "com/thoughtworks/xstream/", "com.thoughtworks.xstream"),
    ("freemarker", "freemarker/template/", "org.freemarker"),
    ("quartz", "org/quartz/", "org.quartz-scheduler"),
    ("snappy-java", "org/xerial/snappy/", "org.xerial.snappy"),
    ("zstd-jni", "com/github/luben/zstd/", "com.github.luben"),
    ("xz", "org/tukaani/xz/", "org.tukaani"),
    ("rocksdbjni", "org/rocksdb/", "org.rocksdb"),
    ("hibernate-core", "org/hibernate/", "org.hibernate"),
    ("kotlin-stdlib*", "kotlin/", "org.jetbrains.kotlin"),
    ("scala-library", "scala/", "org.scala-lang"),
    ("scala-reflect", "scala/reflect/", "org.scala-lang"),
    ("scala-compiler", "scala/tools/", "org.scala-lang"),
    ("scala-xml_*", "scala/xml/", "org.scala-lang.modules"),
    ("scala-parser-combinators_*", "scala/util/parsing/", "org.scala-lang.modules"),
    ("akka-*", "akka/", "com.typesafe.akka"),
    ("pekko-*", "org/apache/pekko/", "org.apache.pekko"),
    ("ktor-*", "io/ktor/", "io.ktor"),
    ("okhttp*", "okhttp3/", "com.squareup.okhttp3"),
    ("okio*", "okio/", "com.squareup.okio"),
    ("retrofit", "retrofit2/", "com.squareup.retrofit2"),
    ("grpc-*", "io/grpc/", "io.grpc"),
    ("gson", "com/google/gson/", "com.google.code.gson"),
    ("protobuf-java*", "com/google/protobuf/", "com.google.protobuf"),
    ("tink", "com/google/crypto/tink/", "com.google.crypto.tink"),
    ("jackson-core-asl", "org/codehaus/jackson/", "org.codehaus.jackson"),
    ("jackson-mapper-asl", "org/codehaus/jackson/map/", "org.codehaus.jackson"),
    ("jackson-module-scala_*", "com/fasterxml/jackson/module/scala/", "com.fasterxml.jackson.module"),
    ("reactor-core", "reactor/core/", "io.projectreactor"),
    ("reactor-netty-http", "reactor/netty/", "io.projectreactor.netty"),
    ("micrometer-core", "io/micrometer/core/", "io.micrometer"),
    ("elasticsearch", "org/elasticsearch/", "org.elasticsearch"),
    ("opensearch", "org/opensearch/", "org.opensearch"),
    ("bc*", "org/bouncycastle/", "org.bouncycastle"),
    ("postgresql", "org/postgresql/", "org.postgresql"),
    ("h2", "org/h2/", "com.h2database"),
    ("hsqldb", "org/hsqldb/", "org.hsqldb"),
    ("mysql-connector-java", "com/mysql/", "mysql"),
    ("mysql-connector-j", "com/mysql/", "com.mysql"),
    ("mssql-jdbc", "com/microsoft/sqlserver/", "com.microsoft.sqlserver"),
];

/// The group of an artifact that is known, when its folder `is_there`.
pub(super) fn known(artifact: &str, is_there: impl Fn(&str) -> bool) -> Option<&'static str> {
    let (_, folder, group) = KNOWN.iter().find(|(name, ..)| match name.strip_suffix('*') {
        Some(beginning) => artifact.starts_with(beginning),
        None => artifact == *name,
    })?;
    is_there(folder).then_some(group)
}

#[cfg(test)]
mod tests {
    use super::known;

    #[test]
    fn the_folder_has_to_be_there() {
        let there = |folder: &str| folder == "org/springframework/core/";
        assert_eq!(known("spring-core", there), Some("org.springframework"));
        assert_eq!(known("spring-core", |_| false), None);
        assert_eq!(known("spring-core-extra", |_| true), None);
        assert_eq!(known("spring-boot-actuator", |_| true), Some("org.springframework.boot"));
        assert_eq!(known("okio-jvm", |_| true), Some("com.squareup.okio"));
        assert_eq!(known("bcprov-jdk18on", |_| true), Some("org.bouncycastle"));
        assert_eq!(known("bcel", |folder| folder == "org/apache/bcel/"), None);
    }
}
