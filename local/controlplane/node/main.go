// Command node is what a node of a test cluster runs, in one binary:
// kube-scheduler, kubelet, kube-proxy and netpold, chosen by the first argument.
// Together with controlplane and a container runtime it makes a whole cluster.
package main

import (
	"context"
	"fmt"
	"os"
	"slices"

	_ "time/tzdata"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

func component(name string) *cobra.Command {
	switch name {
	case "kube-scheduler":
		return scheduler.NewSchedulerCommand()
	case "kubelet":
		return kubelet.NewKubeletCommand(context.Background())
	case "kube-proxy":
		return proxy.NewProxyCommand()
	case "netpold":
		return newEnforcerCommand()
	}
	return nil
}

func main() {
	if len(os.Args) > 1 {
		if chosen := component(os.Args[1]); chosen != nil {
			os.Args = slices.Clone(os.Args[1:])
			os.Exit(cli.Run(chosen))
		}
	}
	fmt.Fprintln(os.Stderr, "usage: node kube-scheduler|kubelet|kube-proxy|netpold [ARGUMENTS]")
	os.Exit(2)
}
