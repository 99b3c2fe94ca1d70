#!/usr/bin/env bash
# Unpacks what a node needs beside Kubernetes itself from the machine's Debian packages into DIRECTORY/usr:
# containerd, runc, the CNI plug-ins, iptables and conntrack. Nothing is installed.
#
#   node-packages.sh DIRECTORY
set -euo pipefail

out=${1:?usage: node-packages.sh DIRECTORY}
command -v apt-get >/dev/null || { echo "node: apt-get is missing: only Debian's packages are known here" >&2; exit 1; }
work=$out.part
rm -rf "$work" "$out"
mkdir -p "$work/debs"
cd "$work/debs"
# Root may download as itself into a directory that the user _apt cannot write.
apt-get download -qq -o APT::Sandbox::User=root containerd runc containernetworking-plugins conntrack iptables \
    libip4tc2 libip6tc2 libxtables12 libmnl0 libnftnl11 libnfnetlink0 libnetfilter-conntrack3
for package in *.deb; do
    dpkg -x "$package" ..
done
cd ..
rm -rf debs usr/share lib etc sbin
# Debian's alternatives make these links at installation.
for name in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
    ln -sf xtables-nft-multi "usr/sbin/$name"
done
mv "$work" "$out"
