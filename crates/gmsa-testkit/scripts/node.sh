#!/usr/bin/env bash
# A Kubernetes cluster of one node: real kubelet, container runtime and Service network. All of it runs
# in namespaces of its own (mount, network, process ids, host name, IPC, cgroups) and in a cgroup subtree of
# its own. Nothing on this machine is changed, and the end of one process ends all of it.
#
#   node.sh check                      says why this machine cannot run it, if so
#   node.sh up DIR                     starts it; DIR/kubeconfig reaches it through 127.0.0.1. DIR/ready exists
#                                      when all of it has started
#   node.sh import DIR ARCHIVE NAME    puts an image (OCI archive) into the node's store under NAME
#   node.sh exec DIR COMMAND...        runs a command in all namespaces of the node
#   node.sh stop DIR PROGRAM           kills one of its programs (apiserver, kubelet, ...: the names in DIR/logs)
#   node.sh start DIR PROGRAM          starts it again
#   node.sh runs DIR                   whether it has started and still runs
#   node.sh down DIR                   ends it and removes DIR
#
# Variables for `up`:
#   ASSETS    directory with etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kubelet, kube-proxy
#   PACKAGES  directory of node-packages.sh; its usr/ lies over /usr in the node
#   HELPER    the program of src/bin/node-helper.rs, static
#   HELPER_IMAGE  an OCI archive with it: the image of the pause container, known as kube-gmsa.test/helper:1
#   KUBECTL   the program kubectl
#
# Root with CAP_SYS_ADMIN and CAP_NET_ADMIN is needed, and overlayfs, veth, bridge and nftables in the kernel.
set -euo pipefail

say() { printf 'node: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

check() {
    [ "$(uname -s)" = Linux ] || die "only Linux can run it"
    [ "$(id -u)" -eq 0 ] || die "it takes root"
    for program in unshare nsenter ip openssl mount setsid; do
        command -v "$program" >/dev/null || [ -x "/usr/sbin/$program" ] || die "$program is missing"
    done
    grep -qw overlay /proc/filesystems || modprobe overlay 2>/dev/null || die "the kernel has no overlayfs"
    # Each message of the programs says which of them is not allowed or not there.
    local why
    why=$(PATH=$PATH:/usr/sbin:/sbin unshare -m -n -p -u -i -C --fork --kill-child --mount-proc bash -ec '
        ip link add kg0 type veth peer name kg1
        ip link add kg2 type bridge
        mount -t tmpfs tmpfs /mnt' 2>&1) || die "its namespaces cannot be made: ${why//$'\n'/; }"
    for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/memory; do
        [ ! -e "$hierarchy/cgroup.procs" ] || [ -w "$hierarchy" ] || die "$hierarchy cannot be written"
    done
}

[ "${1:-}" != check ] || { check; exit; }
command=${1:?usage: node.sh check|up|import|exec|stop|start|runs|down DIR} directory=${2:?usage: node.sh $1 DIR}
shift 2
[ "$command" != runs ] || [ -d "$directory" ] || exit 1
mkdir -p "$directory"
directory=$(cd "$directory" && pwd)
PATH=$PATH:/usr/sbin:/sbin
# The cgroups of this cluster; v1 has a hierarchy for each controller, v2 one for all.
name=kube-gmsa-$(printf %s "$directory" | cksum | cut -d' ' -f1)
controllers=(cpu cpuacct cpuset memory devices freezer blkio pids systemd unified)
unified=
[ ! -f /sys/fs/cgroup/cgroup.controllers ] || unified=yes
others=/sys/fs/cgroup/kube-gmsa-others
address=10.89.0.2
helper_image=kube-gmsa.test/helper:1

holder() { cat "$directory/holder.pid"; }
join() {
    if [ -n "$unified" ]; then
        echo "$BASHPID" >"/sys/fs/cgroup/$name/node/cgroup.procs"
        return
    fi
    for one in "${controllers[@]}"; do
        [ ! -d "/sys/fs/cgroup/$one/$name" ] || echo "$BASHPID" >"/sys/fs/cgroup/$one/$name/cgroup.procs"
    done
}
node() { (join; exec nsenter -t "$(holder)" -m -n -p -u -i -C "$@"); }

import() {
    local archive=$1 wanted=$2
    # Not --index-name: where the archive's own name is the same, the index is swept away before it is
    # unpacked when the name was in use before.
    node ctr -n k8s.io images import --snapshotter overlayfs --base-name "${wanted%:*}" "$(realpath "$archive")" \
        >>"$directory/logs/import.log" 2>&1 ||
        die "failed to import $archive: $(tail -n 3 "$directory/logs/import.log")"
    node ctr -n k8s.io images ls -q | grep -xF "$wanted" >>"$directory/logs/import.log" ||
        die "$archive has another name than $wanted"
}

# run PROGRAM COMMAND...: starts a program of the cluster in the background, and notes its command.
run() {
    local program=$1
    shift
    mkdir -p "$directory/programs"
    printf '%s\0' "$@" >"$directory/programs/$program"
    KUBECONFIG='' node setsid "$@" >>"$directory/logs/$program.log" 2>&1 </dev/null &
}

start() {
    local words=()
    [ -f "$directory/programs/$1" ] || die "$directory has no program $1"
    mapfile -d '' words <"$directory/programs/$1"
    run "$1" "${words[@]}"
}

stop() {
    local path name
    [ -f "$directory/programs/$1" ] || die "$directory has no program $1"
    IFS= read -r -d '' path <"$directory/programs/$1"
    name=$(basename "$path")
    # The kernel knows 15 characters of it. An API server that is asked to end waits a minute for its watches.
    name=${name:0:15}
    node pkill -KILL -x "$name" || true
    for _ in $(seq 300); do
        node pgrep -x "$name" >/dev/null || return 0
        sleep 0.1
    done
    die "$1 does not end"
}

# Version 2 passes no controller on from a cgroup that holds processes, except from the kernel's own root. In
# a container its processes are in what it sees as /sys/fs/cgroup: they go into a child of that.
vacate() {
    local pid moved=
    [ -f /sys/fs/cgroup/cgroup.type ] || return 0
    # What a process starts meanwhile is found in the next round.
    for _ in $(seq 100); do
        [ -n "$(cat /sys/fs/cgroup/cgroup.procs)" ] || break
        [ -n "$moved" ] || say "moving the processes of this container into the cgroup $others"
        moved=yes
        mkdir -p "$others"
        while read -r pid; do
            echo "$pid" 2>/dev/null >"$others/cgroup.procs" || true
        done </sys/fs/cgroup/cgroup.procs
    done
}

# Once no cluster is left.
move_back() {
    local pid
    [ -d "$others" ] || return 0
    [ -z "$(compgen -G '/sys/fs/cgroup/kube-gmsa-[0-9]*')" ] || return 0
    for _ in $(seq 100); do
        while read -r pid; do
            echo "$pid" 2>/dev/null >/sys/fs/cgroup/cgroup.procs || return 0
        done <"$others/cgroup.procs"
        rmdir "$others" 2>/dev/null && return 0
    done
    return 0
}

remove_cgroups() {
    local path paths=() one
    if [ -n "$unified" ]; then
        paths=("/sys/fs/cgroup/$name")
    else
        paths=("${controllers[@]/#/\/sys\/fs\/cgroup\/}")
        paths=("${paths[@]/%/\/$name}")
    fi
    for path in "${paths[@]}"; do
        # The kernel takes a moment to forget processes that have just ended.
        for _ in $(seq 100); do
            [ -d "$path" ] || break
            find "$path" -depth -type d -exec rmdir {} \; 2>/dev/null || true
            [ ! -d "$path" ] || sleep 0.1
        done
    done
    # What the machine did not pass on before.
    [ ! -f "$directory/passed-on" ] || while read -r one; do
        echo "-$one" 2>/dev/null >/sys/fs/cgroup/cgroup.subtree_control || true
    done <"$directory/passed-on"
    [ -z "$unified" ] || move_back
}

# The process ids of a machine that was started again are those of others.
is_ours() { tr '\0' '\n' 2>/dev/null <"/proc/$1/cmdline" | grep -qxF "$directory/holder.sh"; }

end() {
    local file pid
    # The first process of the process namespace, whose end is that of all others in it, containers
    # included; and the one that made the namespaces and waits for it.
    for file in holder.pid outer.pid; do
        [ -f "$directory/$file" ] || continue
        pid=$(cat "$directory/$file")
        for _ in $(seq 300); do
            is_ours "$pid" || break
            kill -9 "$pid" 2>/dev/null || true
            sleep 0.1
        done
    done
    remove_cgroups
}

case $command in
    exec) KUBECONFIG=$directory/admin.kubeconfig node "$@"; exit ;;
    import) import "$@"; exit ;;
    start) start "$@"; exit ;;
    stop) stop "$@"; exit ;;
    runs)
        [ -f "$directory/ready" ] && is_ours "$(holder)"
        exit
        ;;
    down)
        end
        rm -rf "$directory"
        exit
        ;;
    up) ;;
    *) die "unknown command $command" ;;
esac

check
[ ! -f "$directory/outer.pid" ] || die "$directory is in use: end it with \`node.sh down\` first"
assets=$(cd "${ASSETS:?}" && pwd)
packages=$(cd "${PACKAGES:?}" && pwd)
helper=$(realpath "${HELPER:?}")
kubectl=$(realpath "${KUBECTL:?}")
cd "$directory"
mkdir -p etcd containerd kubelet logs cni var-log var-lib/upper var-lib/work
took() { say "$(printf '%5.1f s  %s' "$(echo "$EPOCHREALTIME $began" | awk '{ print $1 - $2 }')" "$*")"; }
began=$EPOCHREALTIME

# Certificates and kubeconfigs, of one authority.
ec=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1)
openssl req -x509 "${ec[@]}" -nodes -days 30 -subj /CN=kube-gmsa-node -keyout ca.key -out ca.crt 2>/dev/null
# leaf NAME SUBJECT SAN
leaf() {
    openssl req "${ec[@]}" -nodes -subj "$2" -keyout "$1.key" -out "$1.csr" 2>/dev/null
    printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth,clientAuth\n' "$3" >"$1.ext"
    openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -extfile "$1.ext" -out "$1.crt" 2>/dev/null
}
# kubeconfig FILE USER SERVER
kubeconfig() {
    cat >"$1" <<YAML
apiVersion: v1
kind: Config
clusters: [{name: node, cluster: {server: "$3", certificate-authority: $directory/ca.crt}}]
users: [{name: $2, user: {client-certificate: $directory/$2.crt, client-key: $directory/$2.key}}]
contexts: [{name: node, context: {cluster: node, user: $2}}]
current-context: node
YAML
}
leaf server /CN=kube-apiserver "IP:127.0.0.1,IP:$address,IP:10.0.0.1,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc"
leaf kubelet-server /CN=node1 "IP:$address,DNS:node1"
while read -r user subject; do
    leaf "$user" "$subject" "DNS:$user"
    kubeconfig "$user.kubeconfig" "$user" "https://$address:6443"
done <<'USERS'
admin /O=system:masters/CN=admin
controller-manager /CN=system:kube-controller-manager
scheduler /CN=system:kube-scheduler
kubelet /O=system:nodes/CN=system:node:node1
proxy /CN=system:kube-proxy
USERS
openssl genrsa -out service-accounts.key 2048 2>/dev/null

# Configuration.
: >resolv.conf
cat >kubelet.yaml <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
failCgroupV1: false
cgroupDriver: cgroupfs
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $directory/ca.crt}}
authorization: {mode: Webhook}
tlsCertFile: $directory/kubelet-server.crt
tlsPrivateKeyFile: $directory/kubelet-server.key
clusterDomain: cluster.local
clusterDNS: [10.0.0.10]
resolvConf: $directory/resolv.conf
failSwapOn: false
address: 0.0.0.0
nodeStatusUpdateFrequency: 2s
# As from 1.27 on by default.
kubeAPIQPS: 50
kubeAPIBurst: 100
evictionHard: {memory.available: 50Mi, nodefs.available: 1%, imagefs.available: 1%}
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
imageMinimumGCAge: 24h
podCIDR: 10.244.0.0/24
YAML
# Before 1.27 a kubelet takes the runtime by flags; before 1.31 it does not know failCgroupV1.
minor=$("$assets/kubelet" --version | sed 's/.* v1\.\([0-9]*\).*/\1/')
runtime=()
if [ "$minor" -lt 27 ]; then
    sed -i '/^containerRuntimeEndpoint/d' kubelet.yaml
    runtime=(--container-runtime=remote --container-runtime-endpoint=unix:///run/containerd/containerd.sock)
fi
[ "$minor" -ge 31 ] || sed -i '/^failCgroupV1/d' kubelet.yaml
# The sysctls of connection tracking are the whole machine's: zero leaves them alone.
cat >proxy.yaml <<YAML
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {kubeconfig: $directory/proxy.kubeconfig}
hostnameOverride: node1
mode: iptables
clusterCIDR: 10.244.0.0/16
conntrack: {maxPerCore: 0, min: 0, tcpCloseWaitTimeout: 0s, tcpEstablishedTimeout: 0s}
metricsBindAddress: 127.0.0.1:10249
YAML
cat >cni/10-bridge.conflist <<JSON
{"cniVersion": "0.4.0", "name": "bridge", "plugins": [
 {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
  "ipam": {"type": "host-local", "dataDir": "$directory/cni-addresses", "ranges": [[{"subnet": "10.244.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
 {"type": "portmap", "capabilities": {"portMappings": true}}]}
JSON
# Without restrict_oom_score_adj runc fails where CAP_SYS_RESOURCE is missing.
cat >containerd.toml <<TOML
version = 2
root = "$directory/containerd"
state = "/run/containerd"
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  restrict_oom_score_adj = true
  sandbox_image = "$helper_image"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$directory/cni"
TOML

# The namespaces, and what kubelet would otherwise write on this machine.
cat >holder.sh <<'HOLDER'
set -e
directory=$1 packages=$2 address=$3 unified=$4
mount --make-rshared /
umount -R /sys/fs/cgroup
umount -R /sys
mount -t sysfs sysfs /sys
if [ -n "$unified" ]; then
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
else
    mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
    for one in cpu cpuacct cpuset memory devices freezer blkio pids; do
        mkdir "/sys/fs/cgroup/$one"
        mount -t cgroup -o "$one" cgroup "/sys/fs/cgroup/$one"
    done
    mkdir /sys/fs/cgroup/systemd
    mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd
fi
# Kubelet finds these values as it wants them, and does not write the machine's.
mkdir -p sysctl
while read -r key value; do
    echo "$value" >"sysctl/$key"
    mount --bind "sysctl/$key" "/proc/sys/${key//.//}"
done <<'VALUES'
vm.overcommit_memory 1
vm.panic_on_oom 0
kernel.panic 10
kernel.panic_on_oops 1
kernel.keys.root_maxkeys 1000000
kernel.keys.root_maxbytes 25000000
VALUES
# Nothing is asked of the machine's resolver: an image that is not in the store fails at once.
mount --bind resolv.conf /etc/resolv.conf || true
mount -t overlay overlay -o "lowerdir=$packages/usr:/usr" /usr
mount -t overlay overlay -o "lowerdir=/var/lib,upperdir=$directory/var-lib/upper,workdir=$directory/var-lib/work" /var/lib
mount -t tmpfs -o mode=755 tmpfs /run
mount --bind "$directory/var-log" /var/log
mkdir -p /var/log/pods /var/log/containers
hostname node1
ip link set lo up
# Kubelet wants an address and a default route; both ends lie in this namespace.
ip link add eth0 type veth peer name eth0-peer
ip link set eth0-peer up
ip addr add "$address/24" dev eth0
ip link set eth0 up
ip route add default dev eth0
echo 1 >/proc/sys/net/ipv4/ip_forward
echo ready >"$directory/holder.ready"
while :; do sleep 3600; done
HOLDER
if [ -n "$unified" ]; then
    vacate
    passed_on=" $(cat /sys/fs/cgroup/cgroup.subtree_control) "
    for one in $(cat /sys/fs/cgroup/cgroup.controllers); do
        [[ $passed_on != *" $one "* ]] || continue
        ! echo "+$one" 2>/dev/null >/sys/fs/cgroup/cgroup.subtree_control || echo "$one" >>passed-on
    done
fi
(
    if [ -n "$unified" ]; then
        mkdir -p "/sys/fs/cgroup/$name/node"
        echo "$BASHPID" >"/sys/fs/cgroup/$name/cgroup.procs"
    else
        for one in "${controllers[@]}"; do
            [ -d "/sys/fs/cgroup/$one" ] || continue
            mkdir -p "/sys/fs/cgroup/$one/$name"
        done
        if [ -d "/sys/fs/cgroup/cpuset/$name" ]; then
            for file in cpuset.cpus cpuset.mems; do
                cat "/sys/fs/cgroup/cpuset/$file" >"/sys/fs/cgroup/cpuset/$name/$file"
            done
            echo 1 >"/sys/fs/cgroup/cpuset/$name/cgroup.clone_children"
        fi
        join
    fi
    exec setsid unshare -m -n -p -u -i -C --fork --kill-child --mount-proc --propagation private \
        bash "$directory/holder.sh" "$directory" "$packages" "$address" "$unified" >logs/holder.log 2>&1 </dev/null
) &
outer=$!
echo "$outer" >outer.pid
for _ in $(seq 600); do
    [ ! -f holder.ready ] && kill -0 "$outer" 2>/dev/null || break
    sleep 0.05
done
if [ ! -f holder.ready ]; then
    cat logs/holder.log >&2
    end
    die "the namespaces were not made"
fi
pgrep -P "$outer" >holder.pid
if [ -n "$unified" ]; then
    # A cgroup whose controllers are passed on may hold no process itself.
    for pid in $(cat "/sys/fs/cgroup/$name/cgroup.procs"); do
        echo "$pid" >"/sys/fs/cgroup/$name/node/cgroup.procs" 2>/dev/null || true
    done
    for one in $(cat "/sys/fs/cgroup/$name/cgroup.controllers"); do
        echo "+$one" 2>/dev/null >"/sys/fs/cgroup/$name/cgroup.subtree_control" || true
    done
    passed_on=" $(cat "/sys/fs/cgroup/$name/cgroup.subtree_control") "
    for one in cpu cpuset memory pids; do
        [[ $passed_on == *" $one "* ]] || {
            end
            die "the cgroup controller $one is not passed on to /sys/fs/cgroup/$name: it has only$passed_on;" \
                "give this machine or container the controllers cpu, cpuset, memory and pids"
        }
    done
fi

failed() {
    for log in "$@"; do
        printf -- '---- %s\n' "$log" >&2
        tail -n 15 "$directory/logs/$log.log" >&2
    done
    die "the cluster did not start; its logs are in $directory/logs"
}
k() { "$kubectl" --kubeconfig=kubeconfig "$@"; }

run etcd "$assets/etcd" --data-dir "$directory/etcd" --unsafe-no-fsync
run containerd containerd -c "$directory/containerd.toml"
# shellcheck disable=SC2086
run apiserver "$assets/kube-apiserver" --etcd-servers=http://127.0.0.1:2379 --secure-port=6443 \
    --cert-dir="$directory/apiserver" --tls-cert-file="$directory/server.crt" --tls-private-key-file="$directory/server.key" \
    --client-ca-file="$directory/ca.crt" --service-cluster-ip-range=10.0.0.0/24 \
    --service-account-issuer=https://kubernetes.default.svc --service-account-key-file="$directory/service-accounts.key" \
    --service-account-signing-key-file="$directory/service-accounts.key" \
    --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction --allow-privileged=true --advertise-address="$address" \
    --kubelet-client-certificate="$directory/admin.crt" --kubelet-client-key="$directory/admin.key" \
    --kubelet-preferred-address-types=InternalIP ${API_SERVER_FLAGS:-}
# From outside: a socket in a file is seen in all network namespaces.
run dial "$helper" dial "$directory/dial.sock"
for _ in $(seq 100); do
    [ ! -S dial.sock ] || break
    sleep 0.05
done
setsid "$helper" forward "$directory/dial.sock" "$address:6443" "$directory/port" >logs/forward.log 2>&1 </dev/null &
for _ in $(seq 100); do
    [ ! -s port ] || break
    sleep 0.05
done
[ -s port ] || failed dial forward
kubeconfig kubeconfig admin "https://127.0.0.1:$(cat port)"
for _ in $(seq 200); do
    ! node ctr version >/dev/null 2>&1 || break
    sleep 0.1
done
import "${HELPER_IMAGE:?}" "$helper_image" || failed containerd
took "container runtime"
for _ in $(seq 480); do
    ! k get --raw /readyz >/dev/null 2>&1 || break
    sleep 0.25
done
k get --raw /readyz >/dev/null || failed etcd apiserver
took "API server"
run controller-manager "$assets/kube-controller-manager" --kubeconfig="$directory/controller-manager.kubeconfig" \
    --use-service-account-credentials --kube-api-qps=1000 --kube-api-burst=1000 \
    --service-account-private-key-file="$directory/service-accounts.key" \
    --root-ca-file="$directory/ca.crt" --leader-elect=false \
    --cluster-signing-cert-file="$directory/ca.crt" --cluster-signing-key-file="$directory/ca.key"
run scheduler "$assets/kube-scheduler" --kubeconfig="$directory/scheduler.kubeconfig" --leader-elect=false
run kubelet "$assets/kubelet" --kubeconfig="$directory/kubelet.kubeconfig" --config="$directory/kubelet.yaml" \
    --root-dir="$directory/kubelet" --hostname-override=node1 --node-ip="$address" "${runtime[@]}"
run proxy "$assets/kube-proxy" --config="$directory/proxy.yaml"
end=$((SECONDS + 300))
until k wait --for=condition=Ready node/node1 --timeout=5s >/dev/null 2>&1 || [ "$SECONDS" -gt "$end" ]; do
    sleep 0.25
done
k wait --for=condition=Ready node/node1 --timeout=5s >/dev/null || failed containerd kubelet
for _ in $(seq 240); do
    ! k -n default get serviceaccount default >/dev/null 2>&1 || break
    sleep 0.25
done
touch ready
took "node1 is Ready"
