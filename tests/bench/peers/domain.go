// Structs that encoding/xml marshals to a domain, as Go programs that drive libvirt have them. The elements and
// attributes are those of libvirt's schema.
//
// It reads the values as a line of JSON and answers with the document, then reads numbers and answers with the
// seconds that so many documents took, the building of the structs included.
package main

import (
	"bufio"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"time"
)

// What is given: the values of a guest, by the names of their fields.

type params struct {
	Name, UUID, Unit, Loader     string
	Memory, CurrentMemory, VCPUs int
	Disks                        []diskParams
	Controllers                  []controllerParams
	Filesystems                  []filesystemParams
	Interfaces                   []interfaceParams
	Serials, Consoles            []charParams
	Channels                     []string
	Inputs                       []inputParams
	Graphics                     []graphicsParams
	Videos                       []videoParams
	Hostdevs                     []pciAddress
	BalloonPeriod                int
	RNGs                         []string
}

type diskParams struct{ File, Format, Cache, IO, Discard, Dev, Serial string }

type controllerParams struct {
	Index int
	Model string
}

type filesystemParams struct{ AccessMode, Source, Target string }

type interfaceParams struct {
	MAC, Bridge, VirtualPort, Guest string
	MTU, Boot                       int
}

type charParams struct {
	Path, TTY, Type string
	Port            int
}

type inputParams struct{ Type, Bus string }

type graphicsParams struct{ Autoport, Address string }

type videoParams struct {
	Model string
	Heads int
}

// What is written.

type domain struct {
	XMLName       xml.Name `xml:"domain"`
	Type          string   `xml:"type,attr"`
	Name          string   `xml:"name"`
	UUID          string   `xml:"uuid"`
	Memory        memory   `xml:"memory"`
	CurrentMemory memory   `xml:"currentMemory"`
	VCPU          int      `xml:"vcpu"`
	OS            osInfo   `xml:"os"`
	Features      features `xml:"features"`
	CPU           cpu      `xml:"cpu"`
	Devices       devices  `xml:"devices"`
}

type memory struct {
	Unit string `xml:"unit,attr"`
	Text int    `xml:",chardata"`
}

type osInfo struct {
	Type   osType  `xml:"type"`
	Loader *loader `xml:"loader"`
}

type osType struct {
	Arch    string `xml:"arch,attr,omitempty"`
	Machine string `xml:"machine,attr,omitempty"`
	Text    string `xml:",chardata"`
}

type loader struct {
	ReadOnly string `xml:"readonly,attr"`
	Type     string `xml:"type,attr"`
	Text     string `xml:",chardata"`
}

type features struct {
	ACPI *struct{} `xml:"acpi"`
	GIC  *gic      `xml:"gic"`
}

type gic struct {
	Version string `xml:"version,attr"`
}

type cpu struct {
	Mode  string `xml:"mode,attr"`
	Check string `xml:"check,attr,omitempty"`
}

type devices struct {
	Disks       []disk       `xml:"disk"`
	Controllers []controller `xml:"controller"`
	Filesystems []filesystem `xml:"filesystem"`
	Interfaces  []netif      `xml:"interface"`
	Serials     []char       `xml:"serial"`
	Consoles    []char       `xml:"console"`
	Channels    []channel    `xml:"channel"`
	Inputs      []input      `xml:"input"`
	Graphics    []graphics   `xml:"graphics"`
	Videos      []video      `xml:"video"`
	Hostdevs    []hostdev    `xml:"hostdev"`
	Memballoon  *memballoon  `xml:"memballoon"`
	RNGs        []rng        `xml:"rng"`
}

type disk struct {
	Type   string     `xml:"type,attr"`
	Device string     `xml:"device,attr"`
	Driver diskDriver `xml:"driver"`
	Source fileSource `xml:"source"`
	Target diskTarget `xml:"target"`
	Serial string     `xml:"serial,omitempty"`
}

type diskDriver struct {
	Name    string `xml:"name,attr"`
	Type    string `xml:"type,attr"`
	Cache   string `xml:"cache,attr,omitempty"`
	IO      string `xml:"io,attr,omitempty"`
	Discard string `xml:"discard,attr,omitempty"`
}

type fileSource struct {
	File string `xml:"file,attr"`
}

type diskTarget struct {
	Dev string `xml:"dev,attr"`
	Bus string `xml:"bus,attr,omitempty"`
}

type controller struct {
	Type  string `xml:"type,attr"`
	Index int    `xml:"index,attr"`
	Model string `xml:"model,attr,omitempty"`
}

type filesystem struct {
	Type       string `xml:"type,attr"`
	AccessMode string `xml:"accessmode,attr,omitempty"`
	Source     dir    `xml:"source"`
	Target     dir    `xml:"target"`
}

type dir struct {
	Dir string `xml:"dir,attr"`
}

type netif struct {
	Type        string       `xml:"type,attr"`
	MAC         mac          `xml:"mac"`
	Source      bridgeSource `xml:"source"`
	VirtualPort *typed       `xml:"virtualport"`
	Guest       *guestDev    `xml:"guest"`
	Model       typed        `xml:"model"`
	MTU         *mtu         `xml:"mtu"`
	Boot        *boot        `xml:"boot"`
}

type mac struct {
	Address string `xml:"address,attr"`
}

type bridgeSource struct {
	Bridge string `xml:"bridge,attr"`
}

type typed struct {
	Type string `xml:"type,attr"`
}

type guestDev struct {
	Dev string `xml:"dev,attr"`
}

type mtu struct {
	Size int `xml:"size,attr"`
}

type boot struct {
	Order int `xml:"order,attr"`
}

type char struct {
	Type   string      `xml:"type,attr"`
	TTY    string      `xml:"tty,attr,omitempty"`
	Source *pathSource `xml:"source"`
	Target charTarget  `xml:"target"`
}

type pathSource struct {
	Path string `xml:"path,attr"`
}

type charTarget struct {
	Type string `xml:"type,attr,omitempty"`
	Port int    `xml:"port,attr"`
}

type channel struct {
	Type   string        `xml:"type,attr"`
	Target channelTarget `xml:"target"`
}

type channelTarget struct {
	Type string `xml:"type,attr"`
	Name string `xml:"name,attr"`
}

type input struct {
	Type string `xml:"type,attr"`
	Bus  string `xml:"bus,attr,omitempty"`
}

type graphics struct {
	Type     string `xml:"type,attr"`
	Autoport string `xml:"autoport,attr,omitempty"`
	Listen   listen `xml:"listen"`
}

type listen struct {
	Type    string `xml:"type,attr"`
	Address string `xml:"address,attr"`
}

type video struct {
	Model videoModel `xml:"model"`
}

type videoModel struct {
	Type  string `xml:"type,attr"`
	Heads int    `xml:"heads,attr,omitempty"`
}

type hostdev struct {
	Mode    string        `xml:"mode,attr"`
	Type    string        `xml:"type,attr"`
	Managed string        `xml:"managed,attr"`
	Source  hostdevSource `xml:"source"`
}

type hostdevSource struct {
	Address pciAddress `xml:"address"`
}

type pciAddress struct {
	Domain   string `xml:"domain,attr"`
	Bus      string `xml:"bus,attr"`
	Slot     string `xml:"slot,attr"`
	Function string `xml:"function,attr"`
}

type memballoon struct {
	Model string `xml:"model,attr"`
	Stats stats  `xml:"stats"`
}

type stats struct {
	Period int `xml:"period,attr"`
}

type rng struct {
	Model   string     `xml:"model,attr"`
	Backend rngBackend `xml:"backend"`
}

type rngBackend struct {
	Model string `xml:"model,attr"`
	Text  string `xml:",chardata"`
}

func newDomain(p *params) *domain {
	d := &domain{
		Type:          "kvm",
		Name:          p.Name,
		UUID:          p.UUID,
		Memory:        memory{p.Unit, p.Memory},
		CurrentMemory: memory{p.Unit, p.CurrentMemory},
		VCPU:          p.VCPUs,
		OS: osInfo{
			Type:   osType{"aarch64", "virt", "hvm"},
			Loader: &loader{"yes", "pflash", p.Loader},
		},
		Features: features{ACPI: &struct{}{}, GIC: &gic{"host"}},
		CPU:      cpu{Mode: "host-passthrough", Check: "none"},
	}
	for _, v := range p.Disks {
		d.Devices.Disks = append(d.Devices.Disks, disk{
			Type:   "file",
			Device: "disk",
			Driver: diskDriver{"qemu", v.Format, v.Cache, v.IO, v.Discard},
			Source: fileSource{v.File},
			Target: diskTarget{v.Dev, "virtio"},
			Serial: v.Serial,
		})
	}
	for _, v := range p.Controllers {
		d.Devices.Controllers = append(d.Devices.Controllers, controller{"scsi", v.Index, v.Model})
	}
	for _, v := range p.Filesystems {
		d.Devices.Filesystems = append(d.Devices.Filesystems,
			filesystem{"mount", v.AccessMode, dir{v.Source}, dir{v.Target}})
	}
	for _, v := range p.Interfaces {
		d.Devices.Interfaces = append(d.Devices.Interfaces, newInterface(v))
	}
	for _, v := range p.Serials {
		d.Devices.Serials = append(d.Devices.Serials, newChar(v))
	}
	for _, v := range p.Consoles {
		d.Devices.Consoles = append(d.Devices.Consoles, newChar(v))
	}
	for _, v := range p.Channels {
		d.Devices.Channels = append(d.Devices.Channels, channel{"unix", channelTarget{"virtio", v}})
	}
	for _, v := range p.Inputs {
		d.Devices.Inputs = append(d.Devices.Inputs, input{v.Type, v.Bus})
	}
	for _, v := range p.Graphics {
		d.Devices.Graphics = append(d.Devices.Graphics, graphics{"vnc", v.Autoport, listen{"address", v.Address}})
	}
	for _, v := range p.Videos {
		d.Devices.Videos = append(d.Devices.Videos, video{videoModel{v.Model, v.Heads}})
	}
	for _, v := range p.Hostdevs {
		d.Devices.Hostdevs = append(d.Devices.Hostdevs, hostdev{"subsystem", "pci", "yes", hostdevSource{v}})
	}
	if p.BalloonPeriod != 0 {
		d.Devices.Memballoon = &memballoon{"virtio", stats{p.BalloonPeriod}}
	}
	for _, v := range p.RNGs {
		d.Devices.RNGs = append(d.Devices.RNGs, rng{"virtio", rngBackend{"random", v}})
	}
	return d
}

func newInterface(p interfaceParams) netif {
	n := netif{
		Type:   "bridge",
		MAC:    mac{p.MAC},
		Source: bridgeSource{p.Bridge},
		Model:  typed{"virtio"},
	}
	if p.VirtualPort != "" {
		n.VirtualPort = &typed{p.VirtualPort}
	}
	if p.Guest != "" {
		n.Guest = &guestDev{p.Guest}
	}
	if p.MTU != 0 {
		n.MTU = &mtu{p.MTU}
	}
	if p.Boot != 0 {
		n.Boot = &boot{p.Boot}
	}
	return n
}

func newChar(p charParams) char {
	c := char{Type: "pty", TTY: p.TTY, Target: charTarget{p.Type, p.Port}}
	if p.Path != "" {
		c.Source = &pathSource{p.Path}
	}
	return c
}

func marshal(p *params) []byte {
	document, err := xml.MarshalIndent(newDomain(p), "", "  ")
	if err != nil {
		panic(err)
	}
	return document
}

func main() {
	in, out := bufio.NewReader(os.Stdin), json.NewEncoder(os.Stdout)
	var p params
	line, err := in.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &p)
	}
	if err != nil {
		panic(err)
	}
	out.Encode(string(marshal(&p)))
	for {
		var times int
		if _, err := fmt.Fscan(in, &times); err != nil {
			return
		}
		start := time.Now()
		for i := 0; i < times; i++ {
			marshal(&p)
		}
		out.Encode(time.Since(start).Seconds())
	}
}
