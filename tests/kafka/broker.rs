//! A real Apache Kafka on this machine, from the jars that `SQUELCH_TEST_KAFKA` names; it ends with the test.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, Weak};
use std::thread::sleep;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// The password of the user `squelch`.
pub(crate) const PASSWORD: &str = "a pass word";
/// The largest message that it takes.
pub(crate) const LARGEST: usize = 60 << 20;

/// Where the jars are; `None` = nobody said, and tests that need them are left out.
pub(crate) fn jars() -> Option<PathBuf> {
    let jars = std::env::var_os("SQUELCH_TEST_KAFKA").map(PathBuf::from);
    if jars.is_none() {
        eprintln!("left out: SQUELCH_TEST_KAFKA does not name a folder with the jars of Apache Kafka");
    }
    jars
}

/// A command that runs a class of these jars.
pub(crate) fn java(jars: &Path, class: &str) -> Command {
    let mut command = Command::new("java");
    command.args([
        "-Xmx512m",
        "-XX:TieredStopAtLevel=1",
        "-XX:+UseSerialGC",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    ]);
    command.arg("-cp").arg(jars.join("*")).arg(class);
    command
}

/// The process of a broker.
pub(crate) fn process(jars: &Path, properties: &Path, log: File) -> Child {
    let java = java(jars, "kafka.Kafka");
    // A shell stands between, which ends it when the test is gone, however it went.
    Command::new("sh")
        .args(["-c", "\"$@\" </dev/null & cat >/dev/null; kill -9 $!", "sh"])
        .arg(java.get_program())
        .args(java.get_args())
        .arg(properties)
        .stdin(Stdio::piped())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap()
}

/// Ends the process of a broker as a power cut would.
pub(crate) fn end(process: &mut Option<Child>) {
    if let Some(mut child) = process.take() {
        drop(child.stdin.take());
        child.wait().unwrap();
    }
}

/// A broker, with its files.
pub(crate) struct Broker {
    jars: PathBuf,
    dir: TempDir,
    ports: [u16; 5],
    process: Mutex<Option<Child>>,
}

/// Its doors.
#[derive(Clone, Copy)]
pub(crate) enum Door {
    /// In the clear, for everybody.
    Plain = 0,
    /// TLS, for those with a certificate.
    Tls = 1,
    /// In the clear, with a login.
    Login = 2,
    /// TLS, with a login.
    TlsLogin = 3,
}

impl Broker {
    /// The broker that tests share; `None` = there are no jars. It ends when no test holds it any more.
    pub(crate) fn shared() -> Option<Arc<Self>> {
        static SHARED: Mutex<Weak<Broker>> = Mutex::new(Weak::new());
        let jars = jars()?;
        let mut shared = SHARED.lock().unwrap();
        Some(shared.upgrade().unwrap_or_else(|| {
            let broker = Arc::new(Self::start(jars));
            *shared = Arc::downgrade(&broker);
            broker
        }))
    }

    /// One of its own, for a test that ends it.
    pub(crate) fn own() -> Option<Self> {
        Some(Self::start(jars()?))
    }

    fn start(jars: PathBuf) -> Self {
        let dir = tempfile::tempdir().unwrap();
        // All at once, so that they differ.
        let listeners = [(); 5].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let ports = listeners.each_ref().map(|listener| listener.local_addr().unwrap().port());
        let broker = Self { jars, dir, ports, process: Mutex::default() };
        broker.write_certificates();
        fs::write(broker.file("server.properties"), broker.properties()).unwrap();
        let scram = |mechanism: &str| format!("{mechanism}=[name=squelch,password={PASSWORD}]");
        let formatted = java(&broker.jars, "kafka.tools.StorageTool")
            .args(["format", "-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c"])
            .arg(broker.file("server.properties"))
            .args(["--add-scram", &scram("SCRAM-SHA-256"), "--add-scram", &scram("SCRAM-SHA-512")])
            .output()
            .unwrap();
        assert!(formatted.status.success(), "{}", String::from_utf8_lossy(&formatted.stderr));
        drop(listeners);
        broker.run();
        broker
    }

    /// Starts its process, and waits until it answers.
    pub(crate) fn run(&self) {
        let log = File::create(self.file("log")).unwrap();
        *self.process.lock().unwrap() = Some(process(&self.jars, &self.file("server.properties"), log));
        let client: BaseConsumer = self.client().create().unwrap();
        for _ in 0..200 {
            if client.fetch_metadata(None, Duration::from_millis(500)).is_ok_and(|seen| !seen.brokers().is_empty()) {
                return;
            }
            sleep(Duration::from_millis(100));
        }
        panic!("the broker does not answer:\n{}", fs::read_to_string(self.file("log")).unwrap());
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(&self) {
        end(&mut self.process.lock().unwrap());
    }

    /// Where it listens.
    pub(crate) fn at(&self, door: Door) -> String {
        format!("127.0.0.1:{}", self.ports[door as usize])
    }

    /// A file of it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A client of it, in the clear.
    pub(crate) fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", self.at(Door::Plain)).set_log_level(rdkafka::config::RDKafkaLogLevel::Emerg);
        config
    }

    fn admin(&self) -> (AdminClient<DefaultClientContext>, Runtime) {
        (self.client().create().unwrap(), Builder::new_current_thread().enable_all().build().unwrap())
    }

    /// Creates a topic.
    pub(crate) fn create(&self, topic: &str, partitions: i32) {
        let (admin, runtime) = self.admin();
        let topic = NewTopic::new(topic, partitions, TopicReplication::Fixed(1)).set("max.message.bytes", "62914560");
        runtime.block_on(admin.create_topics([&topic], &AdminOptions::new())).unwrap()[0].as_ref().unwrap();
    }

    /// Removes a topic.
    pub(crate) fn remove(&self, topic: &str) {
        let (admin, runtime) = self.admin();
        runtime.block_on(admin.delete_topics(&[topic], &AdminOptions::new())).unwrap()[0].as_ref().unwrap();
    }

    /// Gives a topic so many partitions.
    pub(crate) fn grow(&self, topic: &str, partitions: usize) {
        let (admin, runtime) = self.admin();
        let new = NewPartitions::new(topic, partitions);
        runtime.block_on(admin.create_partitions([&new], &AdminOptions::new())).unwrap()[0].as_ref().unwrap();
    }

    /// Deletes what stands before this offset of a partition.
    pub(crate) fn forget(&self, topic: &str, partition: i32, before: i64) {
        let (admin, runtime) = self.admin();
        let mut list = rdkafka::TopicPartitionList::new();
        list.add_partition_offset(topic, partition, rdkafka::Offset::Offset(before)).unwrap();
        runtime.block_on(admin.delete_records(&list, &AdminOptions::new())).unwrap();
    }

    fn properties(&self) -> String {
        let (dir, [plain, tls, login, tls_login, controller]) = (self.dir.path().display(), self.ports);
        let doors = format!(
            "PLAINTEXT://127.0.0.1:{plain},SSL://127.0.0.1:{tls},SASL_PLAINTEXT://127.0.0.1:{login},SASL_SSL://127.0.0.1:{tls_login}"
        );
        let jaas: String = ["sasl_plaintext", "sasl_ssl"]
            .map(|door| {
                let module = "org.apache.kafka.common.security";
                format!(
                    "listener.name.{door}.plain.sasl.jaas.config={module}.plain.PlainLoginModule required user_squelch=\"{PASSWORD}\";\n\
                     listener.name.{door}.scram-sha-256.sasl.jaas.config={module}.scram.ScramLoginModule required;\n\
                     listener.name.{door}.scram-sha-512.sasl.jaas.config={module}.scram.ScramLoginModule required;\n"
                )
            })
            .concat();
        format!(
            "process.roles=broker,controller\nnode.id=1\ncontroller.quorum.voters=1@127.0.0.1:{controller}\n\
             controller.listener.names=CONTROLLER\nlisteners={doors},CONTROLLER://127.0.0.1:{controller}\n\
             advertised.listeners={doors}\ninter.broker.listener.name=PLAINTEXT\n\
             listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL\n\
             sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512\n{jaas}\
             ssl.keystore.type=PEM\nssl.keystore.location={dir}/broker.pem\n\
             ssl.truststore.type=PEM\nssl.truststore.location={dir}/ca.pem\n\
             listener.name.ssl.ssl.client.auth=required\nlog.dirs={dir}/data\nnum.partitions=1\n\
             offsets.topic.replication.factor=1\noffsets.topic.num.partitions=1\ntransaction.state.log.replication.factor=1\n\
             transaction.state.log.min.isr=1\ntransaction.state.log.num.partitions=1\ngroup.initial.rebalance.delay.ms=0\n\
             auto.create.topics.enable=false\nmessage.max.bytes={LARGEST}\nsocket.request.max.bytes=104857600\n\
             num.network.threads=2\nnum.io.threads=2\nlog.cleaner.dedupe.buffer.size=2000000\nlog.retention.ms=-1\n"
        )
    }

    /// An authority, the broker's certificate, and one for clients.
    fn write_certificates(&self) {
        let ca_key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "an authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = params.self_signed(&ca_key).unwrap();
        let issuer = Issuer::from_params(&params, &ca_key);
        let pair = |name: &str| {
            let key = KeyPair::generate().unwrap();
            let mut params = CertificateParams::new([name.to_owned()]).unwrap();
            params.distinguished_name.push(DnType::CommonName, name);
            let certificate = params.signed_by(&key, &issuer).unwrap();
            (key.serialize_pem(), certificate.pem())
        };
        let (broker_key, broker) = pair("127.0.0.1");
        let (client_key, client) = pair("squelch");
        let files = [
            ("ca.pem", ca.pem()),
            ("broker.pem", broker_key + &broker),
            ("client.pem", client),
            ("client.key", client_key),
        ];
        files.into_iter().for_each(|(name, text)| fs::write(self.file(name), text).unwrap());
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The path as it stands in YAML.
pub(crate) fn shown(path: &Path) -> String {
    path.display().to_string()
}
