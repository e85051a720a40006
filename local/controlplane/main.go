// Command controlplane is a Kubernetes control plane in one binary: etcd,
// kube-apiserver, kube-controller-manager and kubectl, chosen by the first
// argument or by the name it is called under. fedround starts it on loopback,
// without root and without containers.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	_ "time/tzdata"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
)

func component(name string) func() {
	switch name {
	case "etcd":
		return func() { etcdmain.Main(os.Args) }
	case "kube-apiserver":
		return command(apiserver.NewAPIServerCommand)
	case "kube-controller-manager":
		return command(controllermanager.NewControllerManagerCommand)
	case "kubectl":
		return func() {
			if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
				kubectlutil.CheckErr(err)
			}
		}
	}
	return nil
}

func command(build func() *cobra.Command) func() {
	return func() { os.Exit(cli.Run(build())) }
}

func main() {
	if run := component(filepath.Base(os.Args[0])); run != nil {
		run()
		return
	}
	if len(os.Args) > 1 {
		if run := component(os.Args[1]); run != nil {
			os.Args = slices.Clone(os.Args[1:])
			run()
			return
		}
	}
	fmt.Fprintln(os.Stderr, "usage: controlplane etcd|kube-apiserver|kube-controller-manager|kubectl [ARGUMENTS]")
	os.Exit(2)
}
