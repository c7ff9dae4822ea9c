#!/usr/bin/env bash
# A real Kafka on this machine, for trials: one broker whose data are gone when it stops. Needs Java 17 or later, and Maven,
# which brings its jars at the first start (90 MB).
#
#   deploy/kafka/broker.sh start [PORT]     at 127.0.0.1:PORT, default 9092; returns when it answers
#   deploy/kafka/broker.sh stop [PORT]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd -P)
root=$(cd "$here/../.." && pwd)/target/kafka
port="${2:-9092}"
folder="$root/trial-$port"

# As the tests do it: the jars are those of pom.xml, and are brought again when that has changed.
jars() {
    if cmp -s "$here/pom.xml" "$root/pom.xml"; then
        return 0
    fi
    rm -rf "$root/libs"
    mvn -q -B dependency:copy-dependencies -DincludeScope=runtime -f "$here/pom.xml" "-DoutputDirectory=$root/libs"
    cp "$here/pom.xml" "$root/pom.xml"
}

kafka() {
    exec java -Xmx384m -Xms64m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
        -cp "$root/libs/*" "$@"
}

answers() {
    (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null
}

# Whether the process that was started is there; its number may be another one's by now.
runs() {
    [ -e "$folder/pid" ] && ps -o args= -p "$(cat "$folder/pid")" 2>/dev/null | grep -qF "$folder/server.properties"
}

start() {
    if runs || answers; then
        echo "broker: something answers at 127.0.0.1:$port already; deploy/kafka/broker.sh stop $port stops what this has started" >&2
        exit 1
    fi
    rm -rf "$folder"
    mkdir -p "$folder"
    (flock 9 && jars) 9>"$root/lock"
    cat >"$folder/server.properties" <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$((port + 1))
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$((port + 1))
controller.listener.names=CONTROLLER
log.dirs=$folder/data
auto.create.topics.enable=false
default.replication.factor=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
# Records of the past stay, whatever their time stamps.
log.retention.hours=87600
PROPERTIES
    (kafka kafka.tools.StorageTool format -t AAAAAAAAAAAAAAAAAAAAAQ -c "$folder/server.properties") >"$folder/log" 2>&1
    kafka kafka.Kafka "$folder/server.properties" >>"$folder/log" 2>&1 </dev/null &
    echo $! >"$folder/pid"
    until answers; do
        if ! runs; then
            cat "$folder/log" >&2
            rm -r "$folder"
            exit 1
        fi
        sleep 0.5
    done
    echo "broker: Kafka answers at 127.0.0.1:$port" >&2
}

stop() {
    if runs; then
        kill "$(cat "$folder/pid")"
    fi
    while runs; do
        sleep 0.2
    done
    rm -rf "$folder"
}

case "${1:-}" in
    start | stop) "$1" ;;
    *)
        echo "usage: deploy/kafka/broker.sh start|stop [PORT]" >&2
        exit 2
        ;;
esac
