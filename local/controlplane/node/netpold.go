package main

import (
	"os/exec"
	"strings"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apiserver/pkg/server"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	"sigs.k8s.io/kube-network-policies/pkg/networkpolicy"

	"fedround.dev/controlplane/node/podgate"
)

// newEnforcerCommand enforces NetworkPolicies on one node. The kernel hands it
// the first packet of each connection by an NFQUEUE rule that the node's
// set-up makes. It also opens the gate (podgate), by which alone a pod may send
// at all: without it a new pod has an open network until its address is known
// here.
func newEnforcerCommand() *cobra.Command {
	var kubeconfig, node string
	var queue int
	command := &cobra.Command{
		Use:          "netpold",
		SilenceUsage: true,
		RunE: func(*cobra.Command, []string) error {
			return enforce(kubeconfig, node, queue)
		},
	}
	command.Flags().StringVar(&kubeconfig, "kubeconfig", "", "kubeconfig file of the cluster")
	command.Flags().StringVar(&node, "node", "", "name of the node that this runs on")
	command.Flags().IntVar(&queue, "queue", 100, "number of the NFQUEUE")
	return command
}

func enforce(kubeconfig, node string, queue int) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	core := factory.Core().V1()
	controller, err := networkpolicy.NewController(
		client, factory.Networking().V1().NetworkPolicies(), core.Namespaces(), core.Pods(),
		nil, nil, nil, nil, networkpolicy.Config{QueueID: queue, NodeName: node})
	if err != nil {
		return err
	}
	if _, err := core.Pods().Informer().AddEventHandler(gate(node)); err != nil {
		return err
	}
	ctx := server.SetupSignalContext()
	factory.Start(ctx.Done())
	return controller.Run(ctx)
}

// gate lets a pod's address through for as long as a pod that has not ended
// has it.
func gate(node string) cache.ResourceEventHandler {
	return cache.ResourceEventHandlerFuncs{
		AddFunc: func(added any) { follow(node, added, false) },
		UpdateFunc: func(before, now any) {
			was, is := before.(*corev1.Pod), now.(*corev1.Pod)
			if was.Status.PodIP != is.Status.PodIP || was.Status.Phase != is.Status.Phase {
				follow(node, now, false)
			}
		},
		DeleteFunc: func(deleted any) {
			if last, ok := deleted.(cache.DeletedFinalStateUnknown); ok {
				deleted = last.Obj
			}
			follow(node, deleted, true)
		},
	}
}

func follow(node string, seen any, gone bool) {
	pod, ok := seen.(*corev1.Pod)
	if !ok || pod.Spec.HostNetwork || pod.Spec.NodeName != node || pod.Status.PodIP == "" {
		return
	}
	script := podgate.Change(pod, gone)
	if script == "" {
		return
	}
	nft := exec.Command("nft", "-f", "-")
	nft.Stdin = strings.NewReader(script)
	if output, err := nft.CombinedOutput(); err != nil {
		klog.ErrorS(err, "the gate did not follow a pod", "pod", klog.KObj(pod), "output", string(output))
	}
}
